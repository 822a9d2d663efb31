import { Counter, Gauge, Histogram } from 'prom-client';

/** What this library reports, in prom-client's default registry. */
const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const subscription = ['topic', 'group'] as const;

export const roundSize = new Histogram({
  name: 'deskstream_round_records',
  help: 'Records gathered into one round',
  labelNames: subscription,
  buckets: counts,
});
export const roundSeconds = new Histogram({
  name: 'deskstream_round_duration_seconds',
  help: 'From the start of a round to its end, waiting included',
  labelNames: subscription,
  buckets: seconds,
});
export const recordsEnded = new Counter({
  name: 'deskstream_records_total',
  help: 'Records by how they ended: done or dead',
  labelNames: ['topic', 'group', 'end'] as const,
});
export const deadLetters = new Counter({
  name: 'deskstream_dead_letters_total',
  help: 'Dead letters written, by reason',
  labelNames: ['topic', 'group', 'reason'] as const,
});
const consumerLag = new Gauge({
  name: 'deskstream_consumer_lag_records',
  help: 'Records behind the end of the partitions owned by this process, as of the last round',
  labelNames: subscription,
});
/** One member's part in the lag of its group: several members of a process add up. */
export class Lag {
  readonly #partitions = new Map<number, number>();

  constructor(private readonly labels: { readonly topic: string; readonly group: string }) {}

  set(partition: number, records: number): void {
    consumerLag.inc(this.labels, records - (this.#partitions.get(partition) ?? 0));
    this.#partitions.set(partition, records);
  }

  /** What this member does not own any more is others' to report. */
  forget(): void {
    for (const partition of this.#partitions.keys()) this.set(partition, 0);
    this.#partitions.clear();
  }
}

export const roundsWaiting = new Gauge({
  name: 'deskstream_rounds_waiting',
  help: 'Rounds that wait for a store or broker',
  labelNames: subscription,
});
export const produceSeconds = new Histogram({
  name: 'deskstream_produce_duration_seconds',
  help: 'From sending a produce request to its acknowledgement or failure, retries included',
  labelNames: ['client', 'end'] as const,
  buckets: seconds,
});
export const produceSize = new Histogram({
  name: 'deskstream_produce_records',
  help: 'Records in one produce request',
  labelNames: ['client'] as const,
  buckets: counts,
});
export const produceQueue = new Gauge({
  name: 'deskstream_produce_queue_records',
  help: 'Records waiting for their produce request, those in flight included',
  labelNames: ['client'] as const,
});
