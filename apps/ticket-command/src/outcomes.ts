import { eventId, eventSource, resultType, topics } from '#contracts';
import { toHeaders, type OutgoingRecord, type RecordProducer } from '#messaging';
import { ticketKey, type Commit } from '#persistence';
import type { Received } from './command-record.js';
import { repeated } from './judge.js';
import type { Outcome } from './ledger.js';

/** Tells the world what became of commands. */
export class Outcomes {
  constructor(private readonly producer: Pick<RecordProducer, 'send'>) {}

  /**
   * Publishes the stored events of all applied commands, whoever stored them, each ticket's in version order; then the answers. Returns when all
   * are acknowledged. When a request fails nothing behind it is sent: publish the whole round again, repeats are byte-identical.
   */
  async publish(outcomes: readonly Outcome[]): Promise<void> {
    await this.send(inVersionOrder(outcomes.map(({ commit }) => commit)).map(eventRecord));
    await this.send(outcomes.map(resultRecord));
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

function resultRecord({ received, commit, answer }: Outcome): OutgoingRecord {
  const { orgId, ticketId, commandId, at, traceparent } = commit;
  const value = isRepeat(received, commit) ? repeated(answer) : answer;
  const { attempt } = received;
  const envelope = { id: commandId, type: resultType, source: eventSource(orgId), subject: ticketId, time: at, orgId };
  const headers = toHeaders({ ...envelope, ...(traceparent !== undefined && { traceparent }), ...(attempt !== undefined && { attempt }) });
  return { topic: topics.results, key: commandId, value, headers };
}

/** The command came again at another offset, and not merely its record once more after a crash. */
const isRepeat = ({ source }: Received, { source: first }: Commit) =>
  source.topic !== first.topic || source.partition !== first.partition || source.offset !== first.offset;
