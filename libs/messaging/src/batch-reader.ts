/**
 * Reads Kafka's record batches, format 2 (KIP-98). Nothing in here throws on what it reads: a batch that cannot be unpacked becomes
 * one record that says so.
 */
import { codecs, TooLarge } from './codecs.js';
import type { IncomingRecord, RawHeader } from './record.js';

/** What one fetched response may unpack to, over all its partitions; the rest of it is left to the next fetch. */
export interface Budget {
  bytes: number;
  records: number;
  /** Some record was read. Until then a batch is read whatever it takes, so that every response brings the consumer on. */
  isBegun?: boolean;
  /** Where others share the memory: waits until the first batch may take more, which it then finds in here; false when there is no more. */
  more?: () => Promise<boolean>;
}

/** A batch above this is refused as a bomb. Producers fill batches to 1 MB at most, before compression, unless told otherwise. */
export const batchLimit = 32 << 20;

/** A record above this is no record: its batch is refused whole, packed as it came, since unpacked it would fit onto no dead-letter topic. */
export const recordLimit = (4 << 20) - (16 << 10);

/** Bytes of headers of a record that nobody means badly with. */
const fewHeaders = 4 << 10;
/** Bytes in memory for each byte of headers beyond that: of small ones each takes many times its length. */
const headerWeight = 40;

const overhead = 61;
const magic = 2;
const noHeaders = Buffer.of(0);

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

  /** About how much memory it takes in a round, bytes: headers beyond a few KiB are thousands of small ones. */
  get weight(): number {
    return (this.value?.length ?? 0) + headerWeight * Math.max(0, this.headerBytes.length - fewHeaders);
  }

  /** Kept once decoded, but for thousands of them: they would take memory until all that came with the record is worked off. */
  get headers(): Readonly<Record<string, string>> {
    if (this.#headers !== undefined) return this.#headers;
    const headers = Object.create(null) as Record<string, string>;
    visitHeaders(this.headerBytes, (bytes, { key, keyEnd, value, valueEnd }) => {
      headers[bytes.toString('utf8', key, keyEnd)] = bytes.toString('utf8', value, valueEnd);
    });
    if (this.headerBytes.length <= fewHeaders) this.#headers = headers;
    return headers;
  }

  get rawHeaders(): readonly RawHeader[] {
    const headers: RawHeader[] = [];
    visitHeaders(this.headerBytes, (bytes, { key, keyEnd, value, valueEnd, isNull }) => {
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

/** Where a header's name and value are. */
interface HeaderSpan {
  key: number;
  keyEnd: number;
  value: number;
  valueEnd: number;
  isNull: boolean;
}

/** Visits as many headers as are well formed; the broker checks them on arrival, so that is all of them. One span serves all. */
function visitHeaders(bytes: Buffer, visit: (bytes: Buffer, span: HeaderSpan) => void): void {
  const cursor = new Cursor(bytes);
  const span: HeaderSpan = { key: 0, keyEnd: 0, value: 0, valueEnd: 0, isNull: false };
  try {
    for (let count = cursor.varint(); count > 0; count--) {
      span.key = cursor.skip(cursor.varint());
      span.keyEnd = cursor.at;
      const length = cursor.varint();
      span.isNull = length === -1;
      span.value = cursor.skip(Math.max(0, length));
      span.valueEnd = cursor.at;
      visit(bytes, span);
    }
  } catch {
    return;
  }
}

/** Whose batches are read, and from which offset on. */
export interface BatchSource {
  readonly topic: string;
  readonly partition: number;
  readonly fetchOffset: number;
}

/**
 * The records of one partition of a fetch response, from `fetchOffset` on. Stops early, at a record, when the budget is used up,
 * be it by other partitions: the consumer asks again from there. The first batch of a response is always read.
 */
export async function readBatches(bytes: Buffer, source: BatchSource, budget: Budget): Promise<FetchedRecord[]> {
  const reader = new PartitionReader(source, budget);
  for (let at = 0; at + overhead <= bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    const isPartial = end > bytes.length;
    if (isPartial || isSpent(budget)) break;
    await reader.read(bytes.subarray(at, end));
    at = end;
  }
  return reader.records;
}

const isSpent = ({ isBegun, bytes, records }: Budget): boolean => isBegun === true && (bytes <= 0 || records <= 0);

interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly codec: number;
  /** Time of all records where the topic takes the broker's. */
  readonly appendTime: string | undefined;
  readonly baseTimestamp: number;
  readonly count: number;
  readonly context: BatchContext;
}

function readHeader(batch: Buffer): BatchHeader {
  const baseOffset = Number(batch.readBigInt64BE(0));
  const attributes = batch.readInt16BE(21);
  return {
    baseOffset,
    lastOffset: baseOffset + batch.readInt32BE(23),
    codec: attributes & 0x07,
    appendTime: attributes & 0x08 ? batch.readBigInt64BE(35).toString() : undefined,
    baseTimestamp: Number(batch.readBigInt64BE(27)),
    count: batch.readInt32BE(57),
    context: {
      producerId: batch.readBigInt64BE(43).toString(),
      inTransaction: (attributes & 0x10) !== 0,
      isControlBatch: (attributes & 0x20) !== 0,
    },
  };
}

class PartitionReader {
  readonly records: FetchedRecord[] = [];

  constructor(
    private readonly source: BatchSource,
    private readonly budget: Budget,
  ) {}

  async read(batch: Buffer): Promise<void> {
    const header = readHeader(batch);
    if (header.lastOffset < this.source.fetchOffset) return;
    const before = this.records.length;
    try {
      if (batch[16] !== magic) throw new Error(`message format ${batch[16]} is older than Kafka 0.11`);
      const plain = await this.plain(header.codec, batch.subarray(overhead));
      this.budget.bytes = plain ? this.budget.bytes - plain.length : Math.min(0, this.budget.bytes);
      if (plain) this.readRecords(plain, header);
    } catch (error) {
      this.records.length = before;
      this.records.push(this.undecodable(batch, header, error));
    }
    this.budget.isBegun ||= this.records.length > before;
  }

  /** Nothing where the budget has been begun and what is left of it does not reach. */
  private async plain(codec: number, body: Buffer): Promise<Buffer | undefined> {
    if (codec === 0) return body;
    const { limit } = this;
    try {
      return await unpack(codec, body, limit);
    } catch (error) {
      if (!(error instanceof TooLarge) || limit >= batchLimit) throw error;
    }
    return (await this.grows()) ? this.plain(codec, body) : undefined;
  }

  /** What a batch may unpack to. */
  private get limit(): number {
    const { isBegun, more, bytes } = this.budget;
    return isBegun || more ? Math.min(bytes, batchLimit) : batchLimit;
  }

  private async grows(): Promise<boolean> {
    const { isBegun, more } = this.budget;
    return !isBegun && more !== undefined && more();
  }

  private readRecords(plain: Buffer, { count, baseOffset, lastOffset, baseTimestamp, appendTime, context }: BatchHeader): void {
    const { topic, partition, fetchOffset } = this.source;
    const cursor = new Cursor(plain);
    for (let left = count; left > 0; left--) {
      const record = new Cursor(cursor.bytes(recordLength(cursor.varint())), 1);
      const timestamp = baseTimestamp + record.varint();
      const offset = baseOffset + record.varint();
      // Else a partition could stand still before it, or jump over what comes behind it.
      if (offset < baseOffset || offset > lastOffset) throw new Error(`a record says it is at ${offset}`);
      if (offset < fetchOffset) continue;
      const key = record.nullableBytes();
      const value = record.nullableBytes();
      const headers = record.buffer.subarray(record.at);
      const time = appendTime ?? String(timestamp);
      this.records.push(new FetchedRecord(topic, partition, String(offset), time, key, value, headers, context));
      if (--this.budget.records <= 0) return;
    }
  }

  /** The one record that stands for the batch: its last offset, so that the group moves past all of it, and its bytes as they came. */
  private undecodable(batch: Buffer, { baseOffset, lastOffset, context }: BatchHeader, error: unknown): FetchedRecord {
    const { topic, partition } = this.source;
    const why = {
      reason: error instanceof TooLarge ? ('oversize' as const) : ('not-json' as const),
      detail: `offsets ${baseOffset} to ${lastOffset}: ${error instanceof Error ? error.message : String(error)}`,
    };
    const time = batch.readBigInt64BE(35).toString();
    return new FetchedRecord(topic, partition, String(lastOffset), time, null, batch, noHeaders, context, why);
  }
}

function recordLength(length: number): number {
  if (length > recordLimit) throw new TooLarge(`a record has ${length} bytes, at most ${recordLimit} are taken`);
  return length;
}

async function unpack(number: number, packed: Buffer, limit: number): Promise<Buffer> {
  const codec = codecs[number];
  if (codec === undefined) throw new Error(`unknown compression codec ${number}`);
  try {
    return await codec.unpack(packed, limit);
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    throw new Error(`${codec.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
