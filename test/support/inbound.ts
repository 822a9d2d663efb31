import { randomUUID } from 'node:crypto';
import { deadLetterTopic, directoryKey, directoryTypeOf, inboundResultsTopic, inboundTopic, outboundTopic, topics, type DirectoryEntry } from '#contracts';
import { ensureTopics, type OutgoingRecord, type RecordProducer, toHeaders } from '#messaging';

/** The topics of an outside system as its registration makes them. */
export async function makeSystemTopics(brokers: string, system: string, { names = systemTopics(system), partitions = 12 } = {}): Promise<void> {
  const configs: Record<string, Record<string, string>> = {
    [inboundTopic(system)]: { 'max.message.bytes': '4194304', 'message.timestamp.type': 'LogAppendTime' },
    [inboundResultsTopic(system)]: { 'max.message.bytes': '1048576' },
    [outboundTopic(system)]: { 'max.message.bytes': '1048576' },
    [deadInbound(system)]: { 'max.message.bytes': '6291456' },
  };
  await ensureTopics(brokers.split(','), names.map((name) => ({ name, partitions, replication: 1, config: configs[name]! })));
}

export const deadInbound = (system: string) => deadLetterTopic('ticket-command', inboundTopic(system));
export const systemTopics = (system: string) => [inboundTopic(system), inboundResultsTopic(system), deadInbound(system)];

/** A name that no other test uses. */
export const freshSystem = (name = 'system') => `${name}-${randomUUID().slice(0, 8)}`;

type Entry = Pick<DirectoryEntry, 'orgId' | 'kind' | 'id' | 'value'> & { deleted?: boolean };

/** Writes entries of the directory as a gateway would, each with a newer revision. */
export async function publishEntries(producer: RecordProducer, ...entries: Entry[]): Promise<void> {
  await producer.send(
    entries.map((entry) => {
      const value = { deleted: false, ...entry, revision: (revision += 1) } as DirectoryEntry;
      const envelope = { id: randomUUID(), type: directoryTypeOf(entry), source: '/directory', subject: '', time: new Date().toISOString(), orgId: entry.orgId };
      return { topic: topics.directory, key: directoryKey(value), value: JSON.stringify(value), headers: toHeaders(envelope) };
    }),
  );
}
let revision = Date.now();

export const everyVerb = ['create', 'change-status', 'add-comment', 'assign', 'update-details', 'append-conversation', 'record-tool-call', 'report-reply-delivery', 'delete', 'restore'];

/** What an organisation lets a system do: everything, for one assistant, unless told otherwise. */
export const grantOf = (system: string, orgId: string, { commands = everyVerb, assistantIds = ['billing-bot'] }: { commands?: string[]; assistantIds?: string[] } = {}): Entry => ({
  orgId,
  kind: 'producer',
  id: system,
  value: { id: system, name: `The ${system}`, commands, assistantIds },
});

/** What a system says in a record. */
export interface Said {
  verb: string;
  orgId?: string;
  ticketId?: string;
  externalId?: string;
  expectedVersion?: number;
  data?: unknown;
}

/** A record of a system in binary mode; its key is nobody's. */
export function inboundRecord(system: string, { verb, orgId = 'acme', ...value }: Said, ceId: string = randomUUID()): OutgoingRecord & { headers: Record<string, string> } {
  const { ce_subject: _subject, ...headers } = toHeaders({ id: ceId, type: `ticket.${verb}.v1`, source: `/${system}`, subject: '', time: new Date().toISOString(), orgId });
  return { topic: inboundTopic(system), key: value.externalId ?? value.ticketId ?? ceId, value: JSON.stringify({ orgId, ...value }), headers };
}
