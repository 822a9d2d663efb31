/**
 * Kafka's record batch, format 2 (KIP-98), read and written without kafkajs's own code, which decodes headers in quadratic time,
 * loses their order and null values, builds an encoder per record and lets any malformed batch stop the consumer for good.
 * Nothing in here throws on what it reads: a batch that cannot be unpacked becomes one record that says so.
 */
import { codecs, TooLarge } from './codecs.js';
import { crc32c } from './crc32c.js';
import type { IncomingRecord, OutgoingRecord, RawHeader } from './record.js';

/** What one fetched response may unpack to; the rest of it is left to the next fetch. */
export interface Budget {
  bytes: number;
  records: number;
}

/** A batch above this is refused as a bomb. Producers fill batches to 1 MB at most, before compression, unless told otherwise. */
export const batchLimit = 32 << 20;

const overhead = 61;
const magic = 2;

/** A record as kafkajs hands it on, which is at once what a handler gets. */
export class FetchedRecord implements IncomingRecord {
  /** Names for kafkajs's filter of aborted transactions. */
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
  #headers?: Readonly<Record<string, string>>;

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly offset: string,
    readonly timestamp: string,
    readonly key: Buffer | null,
    readonly value: Buffer | null,
    private readonly headerBytes: Buffer,
    batchContext: BatchContext,
    /** Set on the one record that stands for a whole batch nobody can unpack: why. */
    readonly undecodable?: { readonly reason: 'oversize' | 'not-json'; readonly detail: string },
  ) {
    this.batchContext = batchContext;
    this.isControlRecord = batchContext.isControlBatch;
  }

  get headers(): Readonly<Record<string, string>> {
    if (this.#headers === undefined) {
      const headers = Object.create(null) as Record<string, string>;
      readHeaders(this.headerBytes, (bytes, key, keyEnd, value, valueEnd) => {
        headers[bytes.toString('utf8', key, keyEnd)] = bytes.toString('utf8', value, valueEnd);
      });
      this.#headers = headers;
    }
    return this.#headers;
  }

  get rawHeaders(): readonly RawHeader[] {
    const headers: RawHeader[] = [];
    readHeaders(this.headerBytes, (bytes, key, keyEnd, value, valueEnd, isNull) => {
      headers.push({ key: bytes.subarray(key, keyEnd), value: isNull ? null : bytes.subarray(value, valueEnd) });
    });
    return headers;
  }
}

interface BatchContext {
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
}

/** Reads forward through a buffer and refuses to read beyond it. */
class Cursor {
  constructor(
    readonly buffer: Buffer,
    public at = 0,
  ) {}

  varint(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Exact up to 2^53, which no length, delta or count of a sane record exceeds. */
  private unsigned(): number {
    let value = 0;
    for (let scale = 1, i = 0; i < 10; i++, scale *= 128) {
      if (this.at >= this.buffer.length) throw new RangeError('a record is cut short');
      const byte = this.buffer[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number is too long');
  }

  /** Moves on by so many bytes; returns where they begin. */
  skip(length: number): number {
    if (length < 0 || this.at + length > this.buffer.length) throw new RangeError('a record is cut short');
    this.at += length;
    return this.at - length;
  }

  bytes(length: number): Buffer {
    return this.buffer.subarray(this.skip(length), this.at);
  }

  nullableBytes(): Buffer | null {
    const length = this.varint();
    return length === -1 ? null : this.bytes(length);
  }
}

type HeaderVisitor = (bytes: Buffer, key: number, keyEnd: number, value: number, valueEnd: number, isNull: boolean) => void;

/** Visits as many headers as are well formed; the broker checks them on arrival, so that is all of them. */
function readHeaders(bytes: Buffer, visit: HeaderVisitor): void {
  const cursor = new Cursor(bytes);
  try {
    for (let count = cursor.varint(); count > 0; count--) {
      const key = cursor.skip(cursor.varint());
      const keyEnd = cursor.at;
      const length = cursor.varint();
      const value = cursor.skip(Math.max(0, length));
      visit(bytes, key, keyEnd, value, cursor.at, length === -1);
    }
  } catch {
    return;
  }
}

/**
 * The records of one partition of a fetch response, from `fetchOffset` on. Stops early, at a record, when the budget is used up:
 * the consumer asks again from there. The first batch is always read, so that every fetch makes progress.
 */
export async function decodeBatches(
  bytes: Buffer,
  source: { topic: string; partition: number; fetchOffset: number },
  budget: Budget,
): Promise<FetchedRecord[]> {
  const records: FetchedRecord[] = [];
  for (let at = 0; at + overhead <= bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    const isPartial = end > bytes.length;
    if (isPartial || (records.length > 0 && (budget.bytes <= 0 || budget.records <= 0))) break;
    await decodeBatch(bytes.subarray(at, end), source, budget, records);
    at = end;
  }
  return records;
}

async function decodeBatch(
  batch: Buffer,
  source: { topic: string; partition: number; fetchOffset: number },
  budget: Budget,
  into: FetchedRecord[],
): Promise<void> {
  const baseOffset = Number(batch.readBigInt64BE(0));
  const attributes = batch.readInt16BE(21);
  const lastOffset = baseOffset + batch.readInt32BE(23);
  if (lastOffset < source.fetchOffset) return;
  const context: BatchContext = {
    producerId: batch.readBigInt64BE(43).toString(),
    inTransaction: (attributes & 0x10) !== 0,
    isControlBatch: (attributes & 0x20) !== 0,
  };
  const before = into.length;
  try {
    if (batch[16] !== magic) throw new Error(`message format ${batch[16]} is older than Kafka 0.11`);
    const codec = attributes & 0x07;
    const plain = codec === 0 ? batch.subarray(overhead) : await unpack(codec, batch.subarray(overhead));
    budget.bytes -= plain.length;
    readRecords(plain, batch, source, context, budget, into);
  } catch (error) {
    into.length = before;
    const detail = `offsets ${baseOffset} to ${lastOffset}: ${error instanceof Error ? error.message : String(error)}`;
    const reason = error instanceof TooLarge ? 'oversize' : 'not-json';
    const timestamp = batch.readBigInt64BE(35).toString();
    const { topic, partition } = source;
    into.push(
      new FetchedRecord(topic, partition, String(lastOffset), timestamp, null, batch, noHeaders, context, { reason, detail }),
    );
  }
}

async function unpack(number: number, packed: Buffer): Promise<Buffer> {
  const codec = codecs[number];
  if (codec === undefined) throw new Error(`unknown compression codec ${number}`);
  try {
    return await codec.unpack(packed, batchLimit);
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    throw new Error(`${codec.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function readRecords(
  plain: Buffer,
  batch: Buffer,
  { topic, partition, fetchOffset }: { topic: string; partition: number; fetchOffset: number },
  context: BatchContext,
  budget: Budget,
  into: FetchedRecord[],
): void {
  const baseOffset = Number(batch.readBigInt64BE(0));
  const isAppendTime = (batch.readInt16BE(21) & 0x08) !== 0;
  const baseTimestamp = Number(batch.readBigInt64BE(27));
  const maxTimestamp = batch.readBigInt64BE(35).toString();
  const cursor = new Cursor(plain);
  for (let left = batch.readInt32BE(57); left > 0; left--) {
    const length = cursor.varint();
    const record = new Cursor(cursor.bytes(length), 1);
    const timestamp = baseTimestamp + record.varint();
    const offset = baseOffset + record.varint();
    if (offset < fetchOffset) continue;
    const key = record.nullableBytes();
    const value = record.nullableBytes();
    const headers = record.buffer.subarray(record.at);
    const written = isAppendTime ? maxTimestamp : String(timestamp);
    into.push(new FetchedRecord(topic, partition, String(offset), written, key, value, headers, context));
    if (--budget.records <= 0) return;
  }
}

/** A record ready for the wire: everything is bytes, so its size is known. */
export interface PackedRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headerBytes: Buffer;
  readonly size: number;
}

const noHeaders = Buffer.of(0);
const toBytes = (value: string | Buffer | null): Buffer | null => (typeof value === 'string' ? Buffer.from(value) : value);

/** Turns a record's texts into bytes, once. */
export function packRecord(record: OutgoingRecord): PackedRecord {
  const key = toBytes(record.key);
  const value = toBytes(record.value);
  const headerBytes = record.headers === undefined ? noHeaders : encodeHeaders(record.headers);
  const size = 24 + (key?.length ?? 0) + (value?.length ?? 0) + headerBytes.length;
  return { topic: record.topic, key, value, headerBytes, size };
}

const isRaw = (headers: NonNullable<OutgoingRecord['headers']>): headers is readonly RawHeader[] => Array.isArray(headers);

function encodeHeaders(headers: NonNullable<OutgoingRecord['headers']>): Buffer {
  const pairs: [string | Buffer, string | Buffer | null][] = isRaw(headers)
    ? headers.map(({ key, value }) => [key, value])
    : Object.entries(headers);
  let size = varintSize(pairs.length);
  for (const [key, value] of pairs) size += sizedBytes(key) + sizedBytes(value);
  const writer = new Writer(Buffer.allocUnsafe(size));
  writer.varint(pairs.length);
  for (const [key, value] of pairs) {
    writer.sized(key);
    writer.sized(value);
  }
  return writer.buffer;
}

function sizedBytes(value: string | Buffer | null): number {
  if (value === null) return 1;
  const length = Buffer.byteLength(value);
  return varintSize(length) + length;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value < 0 ? -2 * value - 1 : 2 * value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

class Writer {
  at = 0;
  constructor(readonly buffer: Buffer) {}

  varint(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.buffer[this.at++] = (rest & 0x7f) | 0x80;
    this.buffer[this.at++] = rest;
  }

  /** A length and as many bytes; null is length -1. */
  sized(value: string | Buffer | null): void {
    if (value === null) return this.varint(-1);
    this.varint(Buffer.byteLength(value));
    if (typeof value === 'string') this.at += this.buffer.write(value, this.at);
    else this.raw(value);
  }

  raw(bytes: Buffer): void {
    this.at += bytes.copy(this.buffer, this.at);
  }
}

/** One uncompressed batch, in one buffer and one pass; all its records carry the same time. */
export function encodeBatch(records: readonly PackedRecord[], time: number): Buffer {
  const bodies = records.map(bodySize);
  const size = bodies.reduce((sum, body) => sum + varintSize(body) + body, overhead);
  const writer = new Writer(Buffer.allocUnsafe(size));
  records.forEach((record, i) => {
    if (i === 0) writer.at = overhead;
    writer.varint(bodies[i]!);
    writer.buffer[writer.at++] = 0; // attributes of a record: none are defined
    writer.buffer[writer.at++] = 0; // milliseconds after the batch's first record
    writer.varint(i);
    writer.sized(record.key);
    writer.sized(record.value);
    writer.raw(record.headerBytes);
  });
  writeBatchHeader(writer.buffer, records.length, time);
  return writer.buffer;
}

const bodySize = (record: PackedRecord, index: number): number =>
  2 + varintSize(index) + sizedBytes(record.key) + sizedBytes(record.value) + record.headerBytes.length;

function writeBatchHeader(batch: Buffer, count: number, time: number): void {
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(0, 12);
  batch[16] = magic;
  batch.writeInt16BE(0, 21);
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(BigInt(time), 27);
  batch.writeBigInt64BE(BigInt(time), 35);
  batch.writeBigInt64BE(-1n, 43); // no producer id: idempotence is off on purpose
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
}
