import { describe, expect, it } from '@jest/globals';
import { eventId, resultType, topics, type CommandResult, type EventValue, type TicketCommand } from '#contracts';
import { decide, evolve, initial, type ExistingTicket, type Rejection, type TicketState } from '#domain';
import type { IncomingRecord } from '#messaging';
import { hashOf, recordOf } from './command-client.js';
import { mixedLoad, type PlannedCommand } from './mixed-load.js';
import { type Evidence, type StoredCommit, verdict } from './verdict.js';

/** What a ticket-command without faults would leave behind, by the shortest way there is. */
class HonestWorld implements Evidence {
  readonly commands: IncomingRecord[] = [];
  readonly events: IncomingRecord[] = [];
  readonly results: IncomingRecord[] = [];
  readonly commits: StoredCommit[] = [];
  private readonly states = new Map<string, TicketState>();
  private readonly answers = new Map<string, CommandResult>();

  constructor(readonly sent: readonly PlannedCommand[]) {
    for (const command of sent) this.take(command);
  }

  private take(command: PlannedCommand) {
    const { key, value, headers } = recordOf(command);
    append(this.commands, topics.commands, key as string, String(value), headers as Record<string, string>);
    const known = this.answers.get(command.commandId);
    const answer = known ?? this.decided(command);
    this.answers.set(command.commandId, answer);
    const told = JSON.stringify(known ? { ...answer, duplicate: true } : answer);
    append(this.results, topics.results, command.commandId, told, { ce_id: command.commandId, ce_type: resultType, ce_subject: command.ticketId });
  }

  private decided(command: PlannedCommand): CommandResult {
    const { commandId, orgId, ticketId, by } = command;
    const state = this.states.get(ticketId) ?? initial;
    const answer = { commandId, orgId, ticketId, actor: by.actor, payloadHash: hashOf(command) };
    const _id = `${orgId}/${ticketId}/${commandId}`;
    try {
      const fact = decide({ ...command, ...by, channel: 'api', payloadHash: hashOf(command) } as unknown as TicketCommand, state, '2026-01-01T10:00:00.000Z');
      if (fact === null) return this.kept(_id, { ...answer, outcome: 'unchanged' });
      const version = state.status === 'none' ? 1 : state.ticket.version + 1;
      const circumstances = { ticketId, version, at: '2026-01-01T10:00:00.000Z', actor: by.actor };
      const next = evolve(state, { ...fact, ...circumstances, birth: { number: this.states.size + 1, channel: 'api' } });
      this.states.set(ticketId, next);
      this.applied(_id, fact.type, { orgId, commandId, ...circumstances, data: fact.data, ticket: next.ticket }, next);
      return { ...answer, outcome: 'applied', version, ticket: next.ticket };
    } catch (error) {
      const { code } = error as Rejection;
      return this.kept(_id, { ...answer, outcome: 'rejected', problem: { type: `/problems/${code}`, title: '', status: 409, detail: '' } });
    }
  }

  private applied(_id: string, type: string, event: EventValue, { status: _status, ticket: _ticket, ...rules }: ExistingTicket) {
    const value = JSON.stringify(event);
    append(this.events, topics.events, event.ticketId, value, { ce_id: eventId(event.ticketId, event.version), ce_type: type, ce_subject: event.ticketId });
    this.commits.push({ _id, version: event.version, outcome: 'applied', type, value: Buffer.from(value), rules });
  }

  private kept(_id: string, answer: CommandResult): CommandResult {
    this.commits.push({ _id, outcome: answer.outcome, type: resultType, value: Buffer.from(JSON.stringify(answer)) });
    return answer;
  }
}

function append(log: IncomingRecord[], topic: string, key: string, value: string, headers: Record<string, string>, partition = 0) {
  const rawHeaders = Object.entries(headers).map(([name, text]) => ({ key: Buffer.from(name), value: Buffer.from(text) }));
  log.push({ topic, partition, offset: String(log.length), timestamp: '0', key: Buffer.from(key), value: Buffer.from(value), headers, rawHeaders });
}

/** The record with another value. */
const changed = (record: IncomingRecord, change: (value: Record<string, unknown>) => object): IncomingRecord => ({
  ...record,
  value: Buffer.from(JSON.stringify(change(JSON.parse(record.value!.toString()) as Record<string, unknown>))),
});

describe('the verdict on a write path', () => {
  const world = () => new HonestWorld(mixedLoad('verdict', 4));
  const isAnswerTo = (command: PlannedCommand) => (record: IncomingRecord) => record.headers['ce_id'] === command.commandId;
  const first = world().sent[0]!;
  const refused = world().sent.find(({ expected }) => expected === 'invalid-transition')!;
  const repeated = world().sent.find((command, index, all) => all.indexOf(command) !== index)!;
  const eventsOfFirst = (events: IncomingRecord[]) => events.filter(({ key }) => key!.toString() === first.ticketId);

  it('finds nothing wrong where nothing is, not with repeats of events and answers either', () => {
    const { sent, commands, events, results, commits } = world();
    expect(verdict({ sent, commands, events, results, commits })).toEqual([]);
    expect(verdict({ sent, commands, events: [...events, ...events.slice(5)], results: [...results, ...results], commits })).toEqual([]);
  });

  const faults: [fault: string, made: (world: HonestWorld) => Partial<Evidence>, told: RegExp][] = [
    ['a command that never arrived', ({ commands }) => ({ commands: commands.filter((record) => !isAnswerTo(refused)(record)) }), /never reached/],
    ['a command without an answer', ({ results }) => ({ results: results.filter((record) => !isAnswerTo(refused)(record)) }), /no answer of its own/],
    ['a first answer that only tells of a duplicate', ({ results }) => ({ results: results.map((record) => (isAnswerTo(repeated)(record) ? changed(record, (value) => ({ ...value, duplicate: true })) : record)) }), /no answer of its own/],
    ['a repeat that is not called a duplicate', ({ results }) => ({ results: results.map((record) => (isAnswerTo(repeated)(record) ? changed(record, ({ duplicate: _, ...value }) => value) : record)) }), /came 2 times and has 0 answers/],
    ['a duplicate of a command that came once', ({ results }) => ({ results: [...results, changed(results.find(isAnswerTo(first))!, (value) => ({ ...value, duplicate: true }))], commands: world().commands.filter((record, index, all) => !isAnswerTo(first)(record) || all.findIndex(isAnswerTo(first)) === index) }), /came once/],
    ['an answer that flips', ({ results }) => ({ results: [...results, changed(results.find(isAnswerTo(refused))!, (value) => ({ ...value, outcome: 'applied' }))] }), /answers that differ/],
    ['an answer repeated with other headers', ({ results }) => ({ results: [...results, { ...results[0]!, rawHeaders: [] }] }), /answers that differ/],
    ['an answer that is not the planned one', ({ results }) => ({ results: results.map((record) => (isAnswerTo(refused)(record) ? changed(record, (value) => ({ ...value, outcome: 'unchanged' })) : record)) }), /was answered "unchanged"/],
    ['an answer to somebody else', ({ results }) => ({ results: results.map((record) => (isAnswerTo(refused)(record) ? changed(record, (value) => ({ ...value, payloadHash: 'other' })) : record)) }), /not addressed/],
    ['an event that is missing', ({ events }) => ({ events: events.filter((record) => record !== eventsOfFirst(events)[2]) }), /come of other commands/],
    ['the first event missing', ({ events }) => ({ events: events.slice(1) }), /come of other commands/],
    ['versions that first appear out of order', ({ events }) => ({ events: [eventsOfFirst(events)[1]!, ...events.filter((record) => record !== eventsOfFirst(events)[1])] }), /first appear as versions 2,1/],
    ['two events of one command', ({ events }) => ({ events: [...events, { ...changed(eventsOfFirst(events).at(-1)!, (value) => ({ ...value, version: 16 })), headers: { ce_id: `${first.ticketId}:16`, ce_type: 'ticket.restored.v1' } }] }), /come of other commands/],
    ['an event published again with another time', ({ events }) => ({ events: [...events, changed(events[0]!, (value) => ({ ...value, at: '2026-01-01T10:00:01.000Z' }))] }), /different bytes/],
    ['an event on another partition', ({ events }) => ({ events: [...events, { ...events[0]!, partition: 1 }] }), /several partitions/],
    ['a ticket in an event that its history does not lead to', ({ events }) => ({ events: events.map((record) => (record === eventsOfFirst(events)[1] ? changed(record, (value) => ({ ...value, ticket: { ...(value['ticket'] as object), commentCount: 2 } })) : record)) }), /does not hold what the events/],
    ['an event that was published and not stored', ({ commits }) => ({ commits: commits.filter(({ _id }) => !_id.endsWith(first.commandId)) }), /is not stored/],
    ['an event that was stored otherwise', ({ commits }) => ({ commits: commits.map((commit) => (commit._id.endsWith(first.commandId) ? { ...commit, value: Buffer.from('{}') } : commit)) }), /not the same/],
    ['a second commit of a ticket that nobody asked for', ({ commits }) => ({ commits: [...commits, { ...commits[0]!, _id: `acme/${first.ticketId}/stranger`, outcome: 'rejected' }] }), /commits of/],
    ['a stored state that the events do not lead to', ({ commits }) => ({ commits: commits.map((commit) => (commit.rules ? { ...commit, rules: { ...commit.rules, notes: 7 } } : commit)) }), /stored newest state/],
    ['an event of no command', ({ events }) => ({ events: [...events, changed(events[0]!, (value) => ({ ...value, commandId: 'nobody' }))] }), /comes of no command/],
    ['an answer to no command', ({ results }) => ({ results: [...results, { ...results[0]!, headers: { ...results[0]!.headers, ce_id: 'nobody' } }] }), /which nobody sent/],
    ['a number given twice', ({ events }) => ({ events: events.map((record) => changed(record, (value) => ({ ...value, ticket: { ...(value['ticket'] as object), number: 1 } }))) }), /have the number acme\/1/],
  ];

  it.each(faults)('sees %s', (_fault, made, told) => {
    const { sent, commands, events, results, commits } = world();
    const evidence = { sent, commands, events, results, commits };
    expect(verdict({ ...evidence, ...made(world()) })).toContainEqual(expect.stringMatching(told));
  });
});
