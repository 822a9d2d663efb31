import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PartitionerArgs } from 'kafkajs';
import { createPartitioner, kafkajs, partitionOf } from './kafkajs-mended.js';

const require = createRequire(import.meta.url);
interface Queue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  pending: unknown[];
  scheduleCheckPendingRequests(): void;
  checkPendingRequests(): void;
}
const RequestQueue = require('kafkajs/src/network/requestQueue') as new (options: object) => Queue;
const newQueue = () => new RequestQueue({ logger: { debug: () => undefined }, maxInFlightRequests: null });

describe('the mended kafkajs', () => {
  it('arms no timer on a connection where nothing waits', () => {
    const queue = newQueue();
    queue.checkPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });

  it('still looks again at what waits for the end of throttling', () => {
    const queue = newQueue();
    queue.throttledUntil = Date.now() + 60_000;
    queue.pending.push({});
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    clearTimeout(queue.throttleCheckTimeoutId!);
  });

  it.each([
    ['fetch', 10, 11],
    ['produce', 6, 7],
  ])('refuses a broker that speaks %s older than it can read or write', (api, old, current) => {
    const { protocol } = require(`kafkajs/src/protocol/requests/${api}`) as { protocol: (version: { version: number }) => unknown };
    expect(() => protocol({ version: old })).toThrow('or newer is needed');
    expect(protocol({ version: current })).toBeInstanceOf(Function);
  });

  it('asks for each partition first some time: an answer that is full of others would keep it waiting for ever', async () => {
    const { protocol } = require('kafkajs/src/protocol/requests/fetch') as { protocol: (version: { version: number }) => (parameters: object) => { request: { encode: () => Promise<{ buffer: Buffer }> } } };
    const partitions = Array.from({ length: 12 }, (_, partition) => ({ partition, fetchOffset: '0', maxBytes: 1 }));
    const parameters = { replicaId: -1, maxWaitTime: 1, minBytes: 1, maxBytes: 1, topics: [{ topic: 't', partitions }] };
    const firsts = new Set<number>();
    for (let i = 0; i < 400; i++) firsts.add((await protocol({ version: 11 })(parameters).request.encode()).buffer.readInt32BE(36));
    expect([...firsts].sort((one, other) => one - other)).toEqual(partitions.map(({ partition }) => partition));
  });

  it('puts keys where the Java client puts them', () => {
    expect(['ticket-1', 'ticket-2', 'a'].map((key) => partitionOf(key, 12))).toEqual([1, 5, 4]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }).map(Buffer.from), fc.integer({ min: 1, max: 64 }), (key, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 1 })) as PartitionerArgs['partitionMetadata'];
        const args = { topic: 't', partitionMetadata, message: { key, value: null } };
        expect(createPartitioner()(args)).toBe(kafkajs.Partitioners.DefaultPartitioner()(args));
      }),
    );
  });

  it('leaves records where they say they belong, and those without a key come round', () => {
    const choose = createPartitioner();
    const partitionMetadata = [0, 1, 2].map((partitionId) => ({ partitionId, leader: 1 })) as PartitionerArgs['partitionMetadata'];
    const of = (message: PartitionerArgs['message']) => choose({ topic: 't', partitionMetadata, message });
    expect(of({ key: 'ticket-1', value: null, partition: 0 })).toBe(0);
    expect([1, 2, 3].map(() => of({ key: null, value: null })).sort()).toEqual([0, 1, 2]);
  });
});
