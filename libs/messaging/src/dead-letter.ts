import { FetchedRecord } from './batch-reader.js';
import type { DeadLetter, IncomingRecord, OutgoingRecord, RawHeader } from './record.js';

/** Who gives a record up, and after how many tries. */
export interface Verdict {
  readonly service: string;
  readonly consumer: string;
  readonly attempts: number;
  readonly time: Date;
}

/** `dead.<service>.<source topic>` */
export const deadLetterTopic = (service: string, topic: string): string => `dead.${service}.${topic}`;

const toldHeaders = ['dead_reason', 'dead_detail', 'dead_topic', 'dead_partition', 'dead_offset', 'dead_time', 'dead_consumer', 'dead_attempts'];

/** Header of a replayed record: the dead letter that it was, `<topic>/<partition>/<offset>`. */
export const replayedFrom = 'replayed_from';

/** The record as it came, key, value and headers untouched, with headers that say why it is here; older ones are replaced. */
export function toDeadLetterRecord({ record, reason, detail }: DeadLetter, verdict: Verdict): OutgoingRecord {
  const told = {
    dead_reason: reason,
    dead_detail: detail.slice(0, 1_000),
    dead_topic: record.topic,
    dead_partition: String(record.partition),
    dead_offset: record.offset,
    dead_time: verdict.time.toISOString(),
    dead_consumer: verdict.consumer,
    dead_attempts: String(verdict.attempts),
  };
  const kept = record.rawHeaders.filter(({ key }) => !(key.toString() in told));
  const added: RawHeader[] = Object.entries(told).map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
  return {
    topic: deadLetterTopic(verdict.service, record.topic),
    key: record.key,
    value: record.value,
    headers: [...kept, ...added],
  };
}

/** The record that a dead letter was made of, with one header that says which letter it was; an older one of that name is replaced. */
export function toReplay(letter: IncomingRecord, target: { readonly topic: string; readonly partition: number | undefined }): OutgoingRecord {
  const dropped = new Set([...toldHeaders, replayedFrom]);
  const kept = letter.rawHeaders.filter(({ key }) => !dropped.has(key.toString()));
  const told = { key: Buffer.from(replayedFrom), value: Buffer.from(`${letter.topic}/${letter.partition}/${letter.offset}`) };
  const { topic, partition } = target;
  return { topic, key: letter.key, value: letter.value, headers: [...kept, told], ...(partition !== undefined && { partition }) };
}

/** Whether a letter stands for a batch that nobody could unpack: its value is that batch, not a record. */
export function isWholeBatch({ key, value, rawHeaders }: IncomingRecord): boolean {
  if (key !== null || value === null || value.length < 61 || rawHeaders.length > toldHeaders.length) return false;
  return value.readInt32BE(8) + 12 === value.length; // as a batch says its own length
}

/** A batch that nobody can unpack comes as one record that knows why; it is a dead letter before any handler sees it. */
export function asUndecodable(record: DeadLetter['record']): DeadLetter | undefined {
  if (!(record instanceof FetchedRecord) || record.undecodable === undefined) return undefined;
  return { record, ...record.undecodable };
}
