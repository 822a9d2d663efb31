/** Writes Kafka's record batches, format 2 (KIP-98), uncompressed. */
import { crc32c } from './crc32c.js';
import type { OutgoingRecord, RawHeader } from './record.js';

const overhead = 61;
const magic = 2;
const noHeaders = Buffer.of(0);

/** A record ready for the wire: everything is bytes, so its size is known. */
export interface PackedRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headerBytes: Buffer;
  readonly size: number;
  /** kafkajs puts it there, whatever the key. */
  readonly partition: number | undefined;
}

const toBytes = (value: string | Buffer | null): Buffer | null => (typeof value === 'string' ? Buffer.from(value) : value);

/** Turns a record's texts into bytes, once. */
export function packRecord(record: OutgoingRecord): PackedRecord {
  const key = toBytes(record.key);
  const value = toBytes(record.value);
  const headerBytes = record.headers === undefined ? noHeaders : encodeHeaders(record.headers);
  const size = 24 + (key?.length ?? 0) + (value?.length ?? 0) + headerBytes.length;
  return { topic: record.topic, key, value, headerBytes, size, partition: record.partition };
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
