import { randomUUID } from 'node:crypto';
import { eventId, eventSource, shortEventType, topics, type CommandData, type CommandType, type Principal, type TicketCommand, type TicketDeadline, type TicketEvent } from '#contracts';
import { decide, evolve, initial, type TicketState } from '#domain';
import { toHeaders, type IncomingRecord } from '#messaging';
import { ada } from '../../../libs/contracts/testing/builders.js';

interface Beginning {
  orgId?: string;
  id?: string;
  number?: number;
  /** When the first event happens, ms. */
  at?: number;
  /** When a version happens, ms behind the first; a second apart unless told otherwise. */
  behind?: (version: number) => number;
}

export const newYear = Date.parse('2026-01-01T00:00:00.000Z');

/** A ticket's life as the decider tells it: every command must be accepted. */
export class Story {
  readonly orgId: string;
  readonly id: string;
  readonly events: TicketEvent[] = [];
  private readonly number: number;
  private readonly beginning: number;
  private readonly behind: (version: number) => number;
  private state: TicketState = initial;

  constructor({ orgId = 'acme', id = randomUUID(), number = 1, at = newYear, behind = (version) => (version - 1) * 1_000 }: Beginning = {}) {
    [this.orgId, this.id, this.number, this.beginning, this.behind] = [orgId, id, number, at, behind];
  }

  /** The ticket as it stands. */
  get ticket() {
    return this.events.at(-1)!.ticket;
  }

  get isDeleted() {
    return this.state.status === 'exists' && this.state.deleted;
  }

  create(data: Partial<CommandData<'ticket.create.v1'>> = {}, by: Principal = ada): this {
    return this.happens('ticket.create.v1', { title: 'Printer on fire', ...data }, by);
  }

  happens<T extends CommandType>(type: T, data: CommandData<T>, by: Principal = ada): this {
    const { orgId, id: ticketId, number } = this;
    const version = this.events.length + 1;
    const at = new Date(this.beginning + this.behind(version)).toISOString();
    const commandId = randomUUID();
    const { actor, access } = by;
    const command = { type, commandId, orgId, ticketId, actor, access, channel: 'api', payloadHash: 'hash', data } as TicketCommand;
    const fact = decide(command, this.state, at);
    if (fact === null) throw new Error(`${type} changed nothing`);
    const state = evolve(this.state, { ...fact, ticketId, version, at, actor, birth: { number, channel: 'api' } });
    this.events.push({ ...fact, orgId, ticketId, version, commandId, actor, at, ticket: state.ticket });
    this.state = state;
    return this;
  }

  comment(body: string, kind: 'comment' | 'note' | 'reply' = 'comment', by: Principal = ada): this {
    return this.happens('ticket.add-comment.v1', { kind, body }, by);
  }

  move(to: CommandData<'ticket.change-status.v1'>['to'], comment?: string): this {
    return this.happens('ticket.change-status.v1', { to, ...(comment !== undefined && { comment }) });
  }

  say(...contents: string[]): this {
    const messages = contents.map((content) => ({ id: randomUUID(), role: 'user' as const, content }));
    return this.happens('ticket.append-conversation.v1', { messages });
  }
}

let offset = 0;

/** An event as its record comes from the topic. */
export function recordOf(event: TicketEvent, overrides: Partial<IncomingRecord> = {}): IncomingRecord {
  const { type, orgId, ticketId, version, at, ...rest } = event;
  const envelope = { id: eventId(ticketId, version), type, source: eventSource(orgId), subject: ticketId, time: at, orgId };
  return {
    topic: topics.events,
    partition: 0,
    offset: String(offset++),
    timestamp: String(Date.parse(at)),
    key: Buffer.from(ticketId),
    value: Buffer.from(JSON.stringify({ orgId, ticketId, version, at, ...rest })),
    headers: toHeaders(envelope),
    rawHeaders: [],
    ...overrides,
  };
}

/** What is told of the deadlines of a ticket, as its record comes from the topic. */
export function newsRecordOf(orgId: string, ticketId: string, deadlines: readonly TicketDeadline[], { revision = 1, ...overrides }: Partial<IncomingRecord> & { revision?: number } = {}): IncomingRecord {
  const value = { orgId, ticketId, revision, version: 1, at: new Date(newYear).toISOString(), deadlines, sight: { assistantId: null, assignee: null, createdBy: { type: 'member', id: 'ada' } } };
  const envelope = { id: `${ticketId}:deadlines:${revision}`, type: 'ticket.deadlines-changed.v1', source: '/assignment-notification', subject: ticketId, time: value.at, orgId };
  return { topic: topics.deadlines, partition: 0, offset: String(offset++), timestamp: '0', key: Buffer.from(ticketId), value: Buffer.from(JSON.stringify(value)), headers: toHeaders(envelope), rawHeaders: [], ...overrides };
}

/** A round of these records. */
export const roundOf = (...records: IncomingRecord[]) => ({ records, signal: new AbortController().signal });

export const shortType = (event: TicketEvent) => shortEventType(event.type);
