import { FetchedRecord } from './batch-reader.js';
import type { EachBatchPayload } from './kafka.js';
import type { IncomingRecord } from './record.js';

/** What one fetch brought of one partition, and how far the rounds have come with it. */
export interface Delivery {
  readonly records: readonly IncomingRecord[];
  readonly payload: EachBatchPayload;
  /** Of the group, when it came. */
  readonly generation: number;
  /** Tells kafkajs that it is over. */
  readonly finish: () => void;
  next: number;
}

/** A delivery's part in a round. */
export interface Share {
  readonly delivery: Delivery;
  readonly records: readonly IncomingRecord[];
}

/** Bytes of records in a round, about: reading more than that at once keeps the process from its heartbeats, and its groups give its partitions away. */
export const roundBytes = 8 << 20;

/** Takes up to `room` records and about `bytes`, dealt evenly: what a quiet partition leaves goes to the busy ones, and none starves another. */
export function share(deliveries: readonly Delivery[], room: number, bytes = roundBytes): Share[] {
  const remaining = (delivery: Delivery) => delivery.records.length - delivery.next;
  const shares: Share[] = [];
  [...deliveries]
    .sort((a, b) => remaining(a) - remaining(b))
    .forEach((delivery, i, { length }) => {
      const count = Math.min(remaining(delivery), Math.ceil(room / (length - i)));
      const records = fitting(delivery.records.slice(delivery.next, delivery.next + count), bytes / (length - i));
      room -= records.length;
      bytes -= sizeOf(records);
      if (records.length > 0) shares.push({ delivery, records });
    });
  return shares;
}

/** The first records that have so many bytes together, at least one. */
function fitting(records: readonly IncomingRecord[], bytes: number): readonly IncomingRecord[] {
  const end = records.findIndex((record, index) => (bytes -= sizeOf([record])) < 0 && index > 0);
  return end === -1 ? records : records.slice(0, end);
}

const sizeOf = (records: readonly IncomingRecord[]) => records.reduce((sum, record) => sum + (record instanceof FetchedRecord ? record.weight : (record.value?.length ?? 0)), 0);
