import { FetchedRecord } from './batch-reader.js';
import type { DeadLetter, OutgoingRecord, RawHeader } from './record.js';

/** Who gives a record up, and after how many tries. */
export interface Verdict {
  readonly service: string;
  readonly consumer: string;
  readonly attempts: number;
  readonly time: Date;
}

/** `dead.<service>.<source topic>` */
export const deadLetterTopic = (service: string, topic: string): string => `dead.${service}.${topic}`;

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

/** A batch that nobody can unpack comes as one record that knows why; it is a dead letter before any handler sees it. */
export function asUndecodable(record: DeadLetter['record']): DeadLetter | undefined {
  if (!(record instanceof FetchedRecord) || record.undecodable === undefined) return undefined;
  return { record, ...record.undecodable };
}
