import { v5 as uuid } from 'uuid';
import type { Access, Actor, CommandData, CommandType, RejectionName } from '#contracts';
import { ada, assigneeOf, grace, linus } from '../../libs/contracts/testing/builders.js';

/** A command that a test sends, with what must come of it: a version that it makes, no change, or the name of a refusal. */
export interface PlannedCommand {
  commandId: string;
  orgId: string;
  ticketId: string;
  type: CommandType;
  data: unknown;
  by: { actor: Actor; access: Access };
  expectedVersion?: number;
  expected: Expected;
}
export type Expected = { version: number } | 'unchanged' | RejectionName;

/** Long enough that the events of a round do not fit into one request to the broker. */
const description = 'The customer wrote that the invoice is not right. '.repeat(120);
const namespace = '6f9a5d3e-52a5-4c7e-9a0e-0d8f6f1c2b11';

/**
 * Commands on new tickets, in the order in which they are sent: each ticket's life step by step, the tickets taking turns, so that any round holds
 * several commands of the same ticket and creates of others. Every step whose answer could be another one later comes again later.
 * @param seed makes the ids: the same seed makes the same load
 */
export function mixedLoad(seed: string, tickets: number, orgId = 'acme'): PlannedCommand[] {
  const lives = Array.from({ length: tickets }, (_, index) => {
    const life = new Life(orgId, `${seed}/${index}`);
    return index % 4 === 3 ? foundling(life) : working(life);
  });
  const longest = Math.max(...lives.map(({ length }) => length));
  return Array.from({ length: longest }, (_, step) => lives.flatMap((life) => life.slice(step, step + 1))).flat();
}

/** From its creation to its restoration, with every kind of answer. */
function working(life: Life): PlannedCommand[] {
  const toGrace = { to: assigneeOf(grace) };
  const create = life.step('ticket.create.v1', { title: `Invoice ${life.name}`, description, assistantId: 'billing-bot', tags: ['crash'] }, { version: 1 });
  life.step('ticket.add-comment.v1', { kind: 'comment', body: 'The customer called.' }, { version: 2 });
  const tooSoon = life.step('ticket.change-status.v1', { to: 'resolved' }, 'invalid-transition');
  life.step('ticket.assign.v1', toGrace, { version: 3 }, { by: grace });
  const sameAgain = life.step('ticket.assign.v1', toGrace, 'unchanged');
  life.again(create);
  life.step('ticket.change-status.v1', { to: 'pending', comment: 'Waits for the bank.' }, { version: 4 });
  life.again(tooSoon);
  const stale = life.step('ticket.update-details.v1', { priority: 'urgent' }, 'version-conflict', { expectedVersion: 5 });
  life.step('ticket.add-comment.v1', { kind: 'note', body: 'Grüße — 東京 🙂' }, { version: 5 });
  life.again(stale);
  life.step('ticket.add-comment.v1', { kind: 'comment', body: 'Not mine to see.' }, 'not-found', { by: linus });
  const reply = life.step('ticket.add-comment.v1', { kind: 'reply', body: 'We have found it.' }, { version: 6 });
  const delivered = { commentId: reply.commandId, state: 'delivered' as const, channel: 'email' };
  life.step('ticket.report-reply-delivery.v1', delivered, { version: 7 });
  life.step('ticket.report-reply-delivery.v1', delivered, 'not-found');
  life.step('ticket.assign.v1', { to: null }, { version: 8 });
  life.again(sameAgain);
  life.step('ticket.create.v1', { title: 'Another one under the same id' }, 'already-exists');
  const message = { id: life.id('message'), role: 'user' as const, content: 'Is it done?' };
  life.step('ticket.append-conversation.v1', { messages: [message] }, { version: 9 });
  const toolCall = { tool: 'refund', arguments: { amount: 12.5 }, status: 'ok' as const, result: [null, { ref: 'R-1' }] };
  life.step('ticket.record-tool-call.v1', toolCall, { version: 10 });
  life.step('ticket.change-status.v1', { to: 'resolved' }, { version: 11 });
  const patch = { tags: ['paid'], customFields: { amount: 12.5 } };
  life.step('ticket.update-details.v1', patch, { version: 12 });
  life.step('ticket.update-details.v1', patch, 'unchanged');
  life.step('ticket.change-status.v1', { to: 'closed' }, { version: 13 });
  life.step('ticket.add-comment.v1', { kind: 'reply', body: 'One more thing.' }, 'ticket-closed');
  life.step('ticket.delete.v1', { reason: 'duplicate' }, { version: 14 });
  const late = life.step('ticket.add-comment.v1', { kind: 'comment', body: 'Too late.' }, 'gone');
  life.step('ticket.restore.v1', {}, { version: 15 });
  life.again(late);
  life.step('ticket.restore.v1', {}, 'unchanged');
  return life.steps;
}

/** Commands come before the ticket that they are for. */
function foundling(life: Life): PlannedCommand[] {
  const early = life.step('ticket.add-comment.v1', { kind: 'comment', body: 'Is anybody there?' }, 'not-found');
  const move = life.step('ticket.change-status.v1', { to: 'pending' }, 'not-found');
  const create = life.step('ticket.create.v1', { title: `Foundling ${life.name}`, priority: 'low' }, { version: 1 });
  life.again(early);
  life.again(move);
  life.step('ticket.change-status.v1', { to: 'pending' }, { version: 2 });
  life.again(create);
  life.step('ticket.change-status.v1', { to: 'open' }, { version: 3 });
  life.step('ticket.change-status.v1', { to: 'closed' }, 'invalid-transition');
  return life.steps;
}

/** One ticket's commands in the making. */
class Life {
  readonly steps: PlannedCommand[] = [];
  readonly ticketId: string;
  private version = 0;

  constructor(
    private readonly orgId: string,
    readonly name: string,
  ) {
    this.ticketId = this.id('ticket');
  }

  id(what: string | number): string {
    return uuid(`${this.orgId}/${this.name}/${what}`, namespace);
  }

  /** Most commands say which version they were decided on: who decides them on an older one says no. */
  step<T extends CommandType>(type: T, data: CommandData<T>, expected: Expected, changes: Pick<Partial<PlannedCommand>, 'by' | 'expectedVersion'> = {}): PlannedCommand {
    const { orgId, ticketId, version } = this;
    const isCareful = version > 0 && type !== 'ticket.create.v1' && this.steps.length % 4 !== 3;
    const command = { commandId: this.id(this.steps.length), orgId, ticketId, type, data, by: ada, expected, ...(isCareful && { expectedVersion: version }), ...changes };
    if (typeof expected === 'object') this.version = expected.version;
    this.steps.push(command);
    return command;
  }

  /** The same command once more, at another offset. */
  again(command: PlannedCommand): void {
    this.steps.push(command);
  }
}
