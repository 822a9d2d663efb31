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

/** Takes up to `room` records, dealt evenly: what a quiet partition leaves goes to the busy ones, and none starves another. */
export function share(deliveries: readonly Delivery[], room: number): Share[] {
  const remaining = (delivery: Delivery) => delivery.records.length - delivery.next;
  const shares: Share[] = [];
  [...deliveries]
    .sort((a, b) => remaining(a) - remaining(b))
    .forEach((delivery, i, { length }) => {
      const count = Math.min(remaining(delivery), Math.ceil(room / (length - i)));
      room -= count;
      if (count > 0) shares.push({ delivery, records: delivery.records.slice(delivery.next, delivery.next + count) });
    });
  return shares;
}
