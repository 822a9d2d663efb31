import { eventId, eventSource, problem, resultType, topics, type CommandResult, type Origin } from '#contracts';
import { toHeaders, type OutgoingRecord, type RecordProducer } from '#messaging';
import { ticketKey, type Commit } from '#persistence';
import type { Received } from './command-record.js';
import type { InboundResults, Told } from './inbound/inbound-results.js';
import { repeated } from './judge.js';
import type { Outcome } from './ledger.js';

/** Tells the world what became of commands. */
export class Outcomes {
  constructor(
    private readonly producer: Pick<RecordProducer, 'send'>,
    private readonly systems: Pick<InboundResults, 'send'>,
  ) {}

  /**
   * Publishes the stored events of all applied commands, whoever stored them, each ticket's in version order; then the answers, to outside systems
   * as well. Returns when all are acknowledged. When a request fails nothing behind it is sent: publish the whole round again, repeats are byte-identical.
   */
  async publish(outcomes: readonly Outcome[]): Promise<void> {
    await this.send(inVersionOrder(outcomes.map(({ commit }) => commit)).map(eventRecord));
    await Promise.all([this.send(outcomes.map(resultRecord)), this.systems.send(outcomes.flatMap(toldSystem))]);
  }

  private async send(records: OutgoingRecord[]): Promise<void> {
    if (records.length > 0) await this.producer.send(records);
  }
}

/** Applied commits, each once; tickets as they first appear, the commits of a ticket by version. */
function inVersionOrder(commits: readonly Commit[]): Commit[] {
  const tickets = new Map<string, Map<number, Commit>>();
  for (const commit of commits) {
    if (commit.version === undefined || commit.outcome !== 'applied') continue;
    const versions = tickets.get(ticketKey(commit)) ?? new Map<number, Commit>();
    tickets.set(ticketKey(commit), versions.set(commit.version, commit));
  }
  return [...tickets.values()].flatMap((versions) => [...versions.values()].sort((one, other) => one.version! - other.version!));
}

const eventRecord = ({ orgId, ticketId, version, type, at, traceparent, value }: Commit): OutgoingRecord => ({
  topic: topics.events,
  key: ticketId,
  value,
  headers: toHeaders({
    id: eventId(ticketId, version!),
    type,
    source: eventSource(orgId),
    subject: ticketId,
    time: at,
    orgId,
    ...(traceparent !== undefined && { traceparent }),
  }),
});

function resultRecord(outcome: Outcome): OutgoingRecord {
  const { received, commit, answer } = outcome;
  const value = isRepeat(received, commit) ? repeated(answer) : answer;
  return { topic: topics.results, key: commit.commandId, value, headers: resultHeaders(outcome) };
}

function resultHeaders({ received: { attempt }, commit }: Outcome): Record<string, string> {
  const { orgId, ticketId, commandId, at, traceparent } = commit;
  const envelope = { id: commandId, type: resultType, source: eventSource(orgId), subject: ticketId, time: at, orgId };
  return toHeaders({ ...envelope, ...(traceparent !== undefined && { traceparent }), ...(attempt !== undefined && { attempt }) });
}

/** What an outside system is told of a command that was made of its record. */
function toldSystem(outcome: Outcome): Told[] {
  const { origin } = outcome.received.command;
  if (origin === undefined) return [];
  return [{ system: origin.system, key: origin.id, value: inboundAnswer(outcome, origin), headers: resultHeaders(outcome) }];
}

/** A record that came to us once makes one answer, however often it was sent on; one that the system sent again is a repeat, or something else under the same id. */
function inboundAnswer({ received, commit, answer }: Outcome, origin: Origin): string | Buffer {
  if (isSamePlace(origin, commit.origin as Origin | undefined)) return answer;
  if (received.command.payloadHash === commit.payloadHash) return repeated(answer);
  const reused = problem('idempotency-key-reused', 'The ce_id was used for another record.');
  const { ticket: _ticket, version: _version, ...told } = JSON.parse(answer.toString()) as CommandResult;
  return JSON.stringify({ ...told, outcome: 'rejected', duplicate: true, problem: reused } satisfies CommandResult);
}

/** The command came again at another offset, and not merely its record once more after a crash. */
const isRepeat = ({ source }: Received, { source: first }: Commit) => !isSamePlace(source, first);

type Place = Record<'topic' | 'offset', string> & { partition: number };
const isSamePlace = (one: Place, other: Place | undefined) => one.topic === other?.topic && one.partition === other.partition && one.offset === other.offset;
