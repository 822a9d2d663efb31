import { isDeepStrictEqual } from 'node:util';
import { problemName, resultType, type CommandResult, type EventValue, type TicketFact } from '#contracts';
import { evolve, initial, type ExistingTicket, type TicketState } from '#domain';
import type { IncomingRecord } from '#messaging';
import { hashOf } from './command-client.js';
import type { PlannedCommand } from './mixed-load.js';

/** A commit as it lies in the store. */
export interface StoredCommit {
  /** organisation/ticket/command */
  _id: string;
  version?: number;
  outcome: string;
  type: string;
  value: Uint8Array;
  rules?: unknown;
}

/** All that a verdict is made of: what the client sent, what is on the topics (each partition in offset order), what is stored. */
export interface Evidence {
  sent: readonly PlannedCommand[];
  commands: readonly IncomingRecord[];
  events: readonly IncomingRecord[];
  results: readonly IncomingRecord[];
  commits: readonly StoredCommit[];
}

/** What is wrong, in words; nothing when nothing was lost, doubled, changed, reordered or told in two ways. */
export function verdict(evidence: Evidence): string[] {
  const commands = distinct(evidence.sent);
  const answers = byCommand(evidence.results);
  const events = byTicket(evidence.events);
  const arrivals = byCommand(evidence.commands);
  return [
    ...[...commands.values()].flatMap((command) => [
      ...countedAnswers(command, arrivals.get(command.commandId) ?? [], answers.get(command.commandId) ?? []),
      ...sameAnswers(command, answers.get(command.commandId) ?? []),
      ...plannedAnswer(command, answers.get(command.commandId)?.[0]),
    ]),
    ...[...ticketsOf(commands.values())].flatMap(([ticketId, planned]) => [
      ...history(ticketId, planned, events.get(ticketId) ?? []),
      ...storedHistory(ticketId, planned, events.get(ticketId) ?? [], evidence.commits),
    ]),
    ...strangers(commands, evidence),
    ...doubledNumbers(events),
  ];
}

/** Every arrival of a command is answered: the first one as such, each later one as a duplicate. */
function countedAnswers({ commandId, type }: PlannedCommand, arrivals: readonly IncomingRecord[], answers: readonly IncomingRecord[]): string[] {
  const name = `${type} ${commandId}`;
  if (arrivals.length === 0) return [`${name} never reached the command topic`];
  const duplicates = answers.filter(isDuplicate).length;
  return [
    ...(answers.length > duplicates ? [] : [`${name} has no answer of its own (${duplicates} as a duplicate)`]),
    ...(duplicates >= arrivals.length - 1 ? [] : [`${name} came ${arrivals.length} times and has ${duplicates} answers as a duplicate`]),
    ...(duplicates > 0 && arrivals.length === 1 ? [`${name} came once and is called a duplicate`] : []),
  ];
}

/** Repeated answers are byte-identical, key and headers too, but for the word `duplicate`. */
function sameAnswers({ type, commandId }: PlannedCommand, answers: readonly IncomingRecord[]): string[] {
  const bytes = answers.map((answer) => (isDuplicate(answer) ? bytesOf(answer, withoutDuplicate(answer)) : bytesOf(answer)));
  return new Set(bytes).size <= 1 ? [] : [`${type} ${commandId} has answers that differ`];
}

function plannedAnswer(command: PlannedCommand, answer: IncomingRecord | undefined): string[] {
  if (answer === undefined) return []; // told above
  const { commandId, orgId, ticketId, type, by, expected } = command;
  const result = JSON.parse(answer.value!.toString()) as CommandResult;
  const told = result.outcome === 'applied' ? { version: result.version } : result.outcome === 'unchanged' ? 'unchanged' : problemName(result.problem!);
  const isOurs = isDeepStrictEqual(
    [result.commandId, result.orgId, result.ticketId, result.actor, result.payloadHash, answer.key?.toString(), answer.headers['ce_id'], answer.headers['ce_type']],
    [commandId, orgId, ticketId, by.actor, hashOf(command), commandId, commandId, resultType],
  );
  return [
    ...(isDeepStrictEqual(told, expected) ? [] : [`${type} ${commandId} was answered ${JSON.stringify(told)}, not ${JSON.stringify(expected)}`]),
    ...(isOurs ? [] : [`the answer to ${type} ${commandId} is not addressed as the command was`]),
  ];
}

/** On the topic: one event for each applied command, versions 1…n, first appearances in order, repeats byte-identical, each saying how the ticket stands after it. */
function history(ticketId: string, planned: readonly PlannedCommand[], records: readonly IncomingRecord[]): string[] {
  const applied = planned.filter(({ expected }) => typeof expected === 'object').map(({ commandId }) => commandId);
  const firsts = firstAppearances(records);
  const events = firsts.map(valueOf);
  const wrong: string[] = [];
  if (new Set(records.map(({ partition }) => partition)).size > 1) wrong.push(`events of ${ticketId} are on several partitions`);
  if (!isDeepStrictEqual(events.map(({ commandId }) => commandId), applied)) {
    wrong.push(`events of ${ticketId} first appear as versions ${events.map(({ version }) => version).join()} and come of other commands than the ${applied.length} applied ones`);
  }
  if (events.some(({ version }, index) => version !== index + 1)) wrong.push(`events of ${ticketId} first appear as versions ${events.map(({ version }) => version).join()}`);
  for (const first of firsts) {
    const repeats = records.filter((record) => idOf(record) === idOf(first));
    if (repeats.some((record) => bytesOf(record) !== bytesOf(first))) wrong.push(`event ${idOf(first)} was published with different bytes`);
  }
  return wrong.length > 0 ? wrong : folded(ticketId, firsts);
}

function folded(ticketId: string, events: readonly IncomingRecord[]): string[] {
  const states = fold(events);
  const wrong = events.findIndex((record, index) => !sameJson(valueOf(record).ticket, (states[index] as ExistingTicket).ticket));
  return wrong === -1 ? [] : [`event ${idOf(events[wrong]!)} of ${ticketId} does not hold what the events up to it make of the ticket`];
}

/** In the store: one commit for each command; the applied ones are what was published, and the newest is where the events lead. */
function storedHistory(ticketId: string, planned: readonly PlannedCommand[], records: readonly IncomingRecord[], commits: readonly StoredCommit[]): string[] {
  const stored = new Map(commits.filter(({ _id }) => _id.split('/')[1] === ticketId).map((commit) => [commit._id, commit]));
  const missing = planned.filter(({ orgId, commandId }) => !stored.has(`${orgId}/${ticketId}/${commandId}`));
  const applied = [...stored.values()].filter(({ outcome }) => outcome === 'applied').sort((one, other) => one.version! - other.version!);
  const firsts = firstAppearances(records);
  const isPublished = applied.length === firsts.length && applied.every(({ value, type }, index) => firsts[index]!.value!.equals(value) && firsts[index]!.headers['ce_type'] === type);
  return [
    ...missing.map(({ type, commandId }) => `${type} ${commandId} is not stored`),
    ...(stored.size > planned.length ? [`${ticketId} has ${stored.size} commits of ${planned.length} commands`] : []),
    ...(isPublished ? [] : [`${ticketId}: ${applied.length} applied commits are stored, ${firsts.length} events published, and they are not the same`]),
    ...(isPublished ? newestState(ticketId, firsts, applied.at(-1)) : []),
  ];
}

function newestState(ticketId: string, events: readonly IncomingRecord[], newest: StoredCommit | undefined): string[] {
  const state = fold(events).at(-1);
  if (state === undefined || newest === undefined) return [];
  const { status: _status, ticket, ...rules } = state as ExistingTicket;
  const stored = JSON.parse(Buffer.from(newest.value).toString()) as EventValue;
  return sameJson([stored.ticket, newest.rules], [ticket, rules]) ? [] : [`the stored newest state of ${ticketId} is not where its events lead`];
}

/** Nobody sent a command for it. */
function strangers(commands: ReadonlyMap<string, PlannedCommand>, { events, results }: Evidence): string[] {
  const tickets = ticketsOf(commands.values());
  return [
    ...events.filter((record) => !commands.has(valueOf(record).commandId) && tickets.has(record.key!.toString())).map((record) => `event ${idOf(record)} comes of no command`),
    ...results.filter((record) => !commands.has(idOf(record)!) && tickets.has(record.headers['ce_subject']!)).map((record) => `there is an answer to ${idOf(record)}, which nobody sent`),
  ];
}

function doubledNumbers(events: ReadonlyMap<string, readonly IncomingRecord[]>): string[] {
  const numbers = [...events.values()].map((records) => valueOf(records[0]!)).map(({ orgId, ticket }) => `${orgId}/${ticket.number}`);
  const doubled = numbers.filter((number, index) => numbers.indexOf(number) !== index);
  return doubled.map((number) => `two tickets have the number ${number}`);
}

const distinct = (commands: readonly PlannedCommand[]) => new Map(commands.map((command) => [command.commandId, command]));

/** The commands of each ticket, each once, in the order in which they were first sent. */
function ticketsOf(commands: Iterable<PlannedCommand>): Map<string, PlannedCommand[]> {
  const tickets = new Map<string, PlannedCommand[]>();
  for (const command of commands) tickets.set(command.ticketId, [...(tickets.get(command.ticketId) ?? []), command]);
  return tickets;
}

const byCommand = (records: readonly IncomingRecord[]) => Map.groupBy(records, (record) => idOf(record)!);
const byTicket = (records: readonly IncomingRecord[]) => Map.groupBy(records, ({ key }) => key!.toString());
const idOf = ({ headers }: IncomingRecord) => headers['ce_id'];
const valueOf = ({ value }: IncomingRecord) => JSON.parse(value!.toString()) as EventValue;
const isDuplicate = ({ value }: IncomingRecord) => (JSON.parse(value!.toString()) as CommandResult).duplicate === true;

/** The first record of each event id, in the order of appearance. */
const firstAppearances = (records: readonly IncomingRecord[]) => [...Map.groupBy(records, idOf).values()].map(([first]) => first!);

function withoutDuplicate({ value }: IncomingRecord): string {
  const { duplicate: _duplicate, ...answer } = JSON.parse(value!.toString()) as CommandResult;
  return Buffer.from(JSON.stringify(answer)).toString('latin1');
}

const bytesOf = ({ key, value, rawHeaders }: IncomingRecord, text = value!.toString('latin1')) =>
  JSON.stringify([key?.toString('latin1'), text, rawHeaders.map((header) => [header.key.toString('latin1'), header.value?.toString('latin1')])]);

/** Where a ticket stands after each of its events, by the domain's own rules; nowhere when versions are missing. */
function fold(events: readonly IncomingRecord[]): TicketState[] {
  const states: TicketState[] = [];
  if (events.some((record, index) => valueOf(record).version !== index + 1)) return states;
  for (const record of events) {
    const { ticketId, version, at, actor, data, ticket } = valueOf(record);
    const fact = { type: record.headers['ce_type'], data } as TicketFact;
    const { number, channel } = ticket;
    states.push(evolve(states.at(-1) ?? initial, { ...fact, ticketId, version, at, actor, birth: { number, channel } }));
  }
  return states;
}

const sameJson = (one: unknown, other: unknown) => isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)));
