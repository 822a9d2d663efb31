/**
 * kafkajs 2.2.4, mended. The package is no longer maintained but small and well understood; what hurts is replaced here, each with
 * its reason, through internal modules (it has no exports map, and its version is pinned). Only `kafka.ts` imports this.
 */
import { createRequire } from 'node:module';
import type * as Kafkajs from 'kafkajs';
import { readBatches, type Budget, type FetchedRecord } from './batch-reader.js';
import { encodeBatch, packRecord, type PackedRecord } from './batch-writer.js';
import { sharedBudget, SharedFetches } from './shared-memory.js';

const require = createRequire(import.meta.url);
export const kafkajs = require('kafkajs') as typeof Kafkajs;
const { KafkaJSNotImplemented } = kafkajs as unknown as { KafkaJSNotImplemented: new (message: string) => Error };

/** Where the Java client's default partitioner puts a key. */
export const partitionOf = (key: string | Buffer, partitions: number): number => (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitions;

/**
 * Chooses partitions. kafkajs hashes with 64-bit numbers made of objects, fifty for each key of a ticket, and copies the list of partitions for each record: a fifth of
 * all that ticket-command allocated. What has no key goes where kafkajs puts it.
 */
export const createPartitioner: Kafkajs.ICustomPartitioner = () => {
  const turns = kafkajs.Partitioners.DefaultPartitioner();
  return (record) => {
    const { key, partition } = record.message;
    return partition ?? (key == null ? turns(record) : partitionOf(key, record.partitionMetadata.length));
  };
};

const mix = 0x5bd1e995;

/** MurmurHash2 of 32 bits with Kafka's seed: `Utils.murmur2` of the Java client. */
function murmur2(data: Buffer): number {
  const body = data.length & ~3;
  let hash = 0x9747b28c ^ data.length;
  for (let at = 0; at < body; at += 4) {
    const part = Math.imul(data.readInt32LE(at), mix);
    hash = Math.imul(hash, mix) ^ Math.imul(part ^ (part >>> 24), mix);
  }
  if (body < data.length) hash = Math.imul(hash ^ data.readUIntLE(body, data.length - body), mix);
  hash = Math.imul(hash ^ (hash >>> 13), mix);
  return hash ^ (hash >>> 15);
}

/** What reading without a group needs: kafkajs has it, but shows only consumers in groups. */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  findGroupCoordinator(options: { groupId: string }): Promise<{ offsetCommit(request: OffsetCommitRequest): Promise<unknown> }>;
  findBroker(options: { nodeId: string }): Promise<{ fetch(request: FetchRequest): Promise<{ responses: { partitions: { messages: FetchedRecord[] }[] }[] }> }>;
}
interface OffsetCommitRequest {
  groupId: string;
  groupGenerationId: number;
  memberId: string;
  topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
}
interface FetchRequest extends FetchParameters {
  isolationLevel: number;
  maxWaitTime: number;
  minBytes: number;
  maxBytes: number;
  topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
}

/** The connections of a client, of its own settings. */
export function clusterOf(client: Kafkajs.Kafka): Cluster {
  const create = Object.getOwnPropertySymbols(client).find(({ description }) => description === 'private:Kafka:createCluster')!;
  return (client as unknown as Record<symbol, (options: object) => Cluster>)[create]!({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}

/** The little of kafkajs's wire classes that the replacements touch. */
interface Encoder {
  buf: Buffer;
  offset: number;
  writeString(value: string | null): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeBuffer(value: Buffer): Encoder;
}
interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readString(): string;
  readBytes(length: number): Buffer;
  readArray<T>(read: (decoder: Decoder) => T): T[];
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>;
}
const Encoder = require('kafkajs/src/protocol/encoder') as new (size?: number) => Encoder;
const Decoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => Decoder;

type Protocol<Parameters> = (parameters: Parameters) => {
  request: { encode: () => Promise<unknown> };
  response: { decode: (raw: Buffer) => Promise<unknown>; parse: (data: unknown) => Promise<unknown> };
};
interface Api<Parameters> {
  protocol: (version: { version: number }) => Protocol<Parameters>;
}

mendFetch(require('kafkajs/src/protocol/requests/fetch') as Api<FetchParameters>);
mendProduce(require('kafkajs/src/protocol/requests/produce') as Api<ProduceParameters>);
mendHandOver(require('kafkajs/src/consumer/runner') as { prototype: Runner });
mendTurns(require('kafkajs/src/consumer/consumerGroup') as { prototype: ConsumerGroup });
mendRequestQueue(require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue });

interface FetchParameters {
  topics: { topic: string; partitions: { partition: number; fetchOffset: string }[] }[];
}

/**
 * Reading. kafkajs decodes headers in quadratic time (10,000 in one record block the process for 17 s), dies for good of a batch
 * that it cannot unpack, has no bound on what a batch unpacks to, and asks for partitions always in the same order.
 */
function mendFetch(api: Api<FetchParameters>): void {
  const original = api.protocol;
  api.protocol = ({ version }) => {
    if (version < 11) throw new KafkaJSNotImplemented(`the broker speaks Fetch ${version}; Kafka 2.4 or newer is needed`);
    return (parameters) => {
      const plain = original({ version })({ ...parameters, topics: inAnyOrder(parameters.topics) });
      return { ...plain, response: { ...plain.response, decode: (raw) => decodeFetch(raw, fetchOffsets(parameters)) } };
    };
  };
}

/** Partitions are answered in the order in which they are asked for, until the answer is full or its budget spent: by chance each comes to be among the first. */
const inAnyOrder = (topics: FetchParameters['topics']): FetchParameters['topics'] =>
  topics.map(({ topic, partitions }) => ({ topic, partitions: shuffled(partitions) }));

const shuffled = <T>(items: readonly T[]): T[] =>
  items.map((item) => ({ item, at: Math.random() })).sort((one, other) => one.at - other.at).map(({ item }) => item);

function fetchOffsets({ topics }: FetchParameters): Map<string, number> {
  return new Map(
    topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, fetchOffset }) => [`${topic}/${partition}`, Number(fetchOffset)] as const),
    ),
  );
}

/** Unpacked bytes and records that one response may bring into memory, and every subscription holds one; a first batch that is larger is brought alone. */
const fetchBudget: Readonly<Budget> = { bytes: 16 << 20, records: 20_000 };

async function decodeFetch(raw: Buffer, offsets: ReadonlyMap<string, number>): Promise<unknown> {
  const decoder = new Decoder(raw);
  const shared = await sharedBudget(raw.length);
  const budget = shared?.budget ?? { ...fetchBudget };
  const clientSideThrottleTime = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const responses = await decoder.readArrayAsync(async () => {
    const topicName = decoder.readString();
    return { topicName, partitions: await decoder.readArrayAsync(() => decodePartition(decoder, topicName, offsets, budget)) };
  });
  shared?.close(responses.flatMap(({ partitions }) => partitions).reduce((sum, { messages }) => sum + messages.length, 0));
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

async function decodePartition(decoder: Decoder, topic: string, offsets: ReadonlyMap<string, number>, budget: Budget) {
  const partition = decoder.readInt32();
  const header = {
    partition,
    errorCode: decoder.readInt16(),
    highWatermark: decoder.readInt64().toString(),
    lastStableOffset: decoder.readInt64().toString(),
    lastStartOffset: decoder.readInt64().toString(),
    abortedTransactions: decoder.readArray(() => ({
      producerId: decoder.readInt64().toString(),
      firstOffset: decoder.readInt64().toString(),
    })),
    preferredReadReplica: decoder.readInt32(),
  };
  const size = decoder.readInt32();
  const fetchOffset = offsets.get(`${topic}/${partition}`) ?? 0;
  const messages = size <= 0 ? [] : await readBatches(decoder.readBytes(size), { topic, partition, fetchOffset }, budget);
  return { ...header, messages };
}

/** What one fetch brought of one partition. */
interface Batch {
  topic: string;
  partition: number;
  rawMessages: readonly FetchedRecord[];
  messagesWithinOffset: readonly FetchedRecord[];
  messages: readonly FetchedRecord[];
  lastOffset(): string;
}

interface Runner {
  consumerGroup: {
    resolveOffset(place: { topic: string; partition: number; offset: string }): void;
    commitOffsets(offsets: object): Promise<void>;
  };
  eachBatchAutoResolve: boolean;
  eachBatch(payload: object): Promise<void>;
  heartbeat(): Promise<void>;
  processEachBatch(this: Runner, batch: Batch): Promise<void>;
}

/**
 * Handing over. kafkajs keeps all that a fetch brought until the next fetch has brought something, and one partition's batch for as long as one may send commits
 * with it: of every consumer that has nothing to do, a response lay in memory for good. A batch is emptied once it is worked off.
 */
function mendHandOver({ prototype }: { prototype: Runner }): void {
  prototype.processEachBatch = async function (batch) {
    const { topic, partition } = batch;
    try {
      await this.eachBatch(payloadOf(this, batch));
      if (this.eachBatchAutoResolve) this.consumerGroup.resolveOffset({ topic, partition, offset: batch.lastOffset() });
    } finally {
      Object.assign(batch, { rawMessages: [], messagesWithinOffset: [], messages: [] });
    }
  };
}

/** As much of kafkajs's payload as a lane uses. With the last record goes what comes behind it and is not shown, such as the end of a transaction. */
function payloadOf(runner: Runner, batch: Batch): object {
  const { topic, partition } = batch;
  const [last, end] = [batch.messages.at(-1)?.offset, batch.lastOffset()];
  return {
    batch,
    resolveOffset: (offset: string) => runner.consumerGroup.resolveOffset({ topic, partition, offset: offset === last ? end : offset }),
    heartbeat: () => runner.heartbeat(),
    commitOffsetsIfNecessary: (offsets: object) => runner.consumerGroup.commitOffsets(offsets),
  };
}

interface ConsumerGroup {
  fetch(this: ConsumerGroup, nodeId: string | number): Promise<unknown>;
  getNodeIds(): (string | number)[];
  heartbeat(options: { interval: number }): Promise<void>;
}

const { KafkaJSFetcherRebalanceError } = require('kafkajs/src/errors') as { KafkaJSFetcherRebalanceError: new () => Error };

/** As kafkajs has it: without any there is nothing to begin anew with. */
const areOthers = (before: readonly (string | number)[], now: readonly (string | number)[]) => now.length > 0 && (now.length !== before.length || before.some((id) => !now.includes(id)));

/** Taking turns. kafkajs fetches whenever it can, however much other consumers of the process hold. */
function mendTurns({ prototype }: { prototype: ConsumerGroup }): void {
  const original = prototype.fetch;
  prototype.fetch = function (nodeId) {
    const fetch = () => original.call(this, nodeId);
    const nodeIds = this.getNodeIds();
    const moved = () => (areOthers(nodeIds, this.getNodeIds()) ? new KafkaJSFetcherRebalanceError() : undefined);
    return SharedFetches.current?.fetch({ nodeId, nodeIds, fetch, beat: () => this.heartbeat({ interval: 0 }), moved }) ?? fetch();
  };
}

interface ProduceParameters {
  acks: number;
  timeout: number;
  compression?: number;
  transactionalId?: string;
  topicData: { topic: string; partitions: { partition: number; messages: readonly (PackedRecord | Kafkajs.Message)[] }[] }[];
}

/**
 * Writing. kafkajs builds an encoder of half a kilobyte for each record and each header (six times the work per record
 * of an event's size), and cannot write headers as they were read (order, repeats, null values). Compressed and transactional requests, which we do not make, stay with its own code.
 */
function mendProduce(api: Api<ProduceParameters>): void {
  const original = api.protocol;
  api.protocol = ({ version }) => {
    if (version < 7) throw new KafkaJSNotImplemented(`the broker speaks Produce ${version}; Kafka 2.1 or newer is needed`);
    return (parameters) => {
      const plain = original({ version })(parameters);
      if (parameters.compression || parameters.transactionalId) return plain;
      return { ...plain, request: { ...plain.request, encode: async () => encodeProduce(parameters) } };
    };
  };
}

function encodeProduce({ acks, timeout, topicData }: ProduceParameters): Encoder {
  const now = Date.now();
  const encoder = new Encoder().writeString(null).writeInt16(acks).writeInt32(timeout).writeInt32(topicData.length);
  for (const { topic, partitions } of topicData) {
    encoder.writeString(topic).writeInt32(partitions.length);
    for (const { partition, messages } of partitions) {
      const batch = encodeBatch(messages.map((message) => asPacked(topic, message)), now);
      encoder.writeInt32(partition).writeInt32(batch.length).writeBuffer(batch);
    }
  }
  return encoder;
}

const asPacked = (topic: string, message: PackedRecord | Kafkajs.Message): PackedRecord =>
  'headerBytes' in message
    ? message
    : packRecord({ topic, key: message.key ?? null, value: message.value, headers: message.headers as Record<string, string> });

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  pending: unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/**
 * After its first response each connection re-armed a 1 ms timer for ever (3 % of a core for an idle service, and a
 * TimeoutNegativeWarning): `throttledUntil` starts at -1. A timer is only needed while something is waiting to be sent.
 */
function mendRequestQueue({ prototype }: { prototype: RequestQueue }): void {
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    const wait = Math.max(this.throttledUntil - Date.now(), 10);
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, wait);
  };
}
