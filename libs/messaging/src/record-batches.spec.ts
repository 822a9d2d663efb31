import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import lz4 from 'lz4-napi';
import snappy from 'snappyjs';
import { crc32c } from './crc32c.js';
import { batchLimit, readBatches, recordLimit, type Budget, type FetchedRecord } from './batch-reader.js';
import { encodeBatch, packRecord } from './batch-writer.js';
import type { OutgoingRecord } from './record.js';

const require = createRequire(import.meta.url);
const theirCrc32c = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;
const theirDecoder = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: unknown) => Promise<{ records: TheirRecord[] }>;
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown;

interface TheirRecord {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer>;
}

const source = { topic: 't', partition: 7, fetchOffset: 0 };
const plenty = (): Budget => ({ bytes: 64 << 20, records: 50_000 });
const encode = (records: OutgoingRecord[], time = 1_700_000_000_000) => encodeBatch(records.map(packRecord), time);
const decode = (bytes: Buffer, fetchOffset = 0, budget = plenty()) => readBatches(bytes, { ...source, fetchOffset }, budget);
const record = (value: string | Buffer | null, headers: OutgoingRecord['headers'] = {}): OutgoingRecord => ({ topic: 't', key: 'k', value, headers });

/** As the broker stores it: at an offset, and perhaps compressed. */
function stored(batch: Buffer, offset: number, codec = 0, compress: (plain: Buffer) => Buffer = (plain) => plain): Buffer {
  const packed = Buffer.concat([batch.subarray(0, 61), compress(batch.subarray(61))]);
  packed.writeBigInt64BE(BigInt(offset), 0);
  packed.writeInt32BE(packed.length - 12, 8);
  packed.writeInt16BE(codec, 21);
  return packed;
}

const values = (records: readonly FetchedRecord[]) => records.map(({ value }) => String(value));

const rawHeader = fc.record({ key: fc.string().map((text) => Buffer.from(text)), value: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))) });
const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)));
const outgoing = fc.record({ topic: fc.constant('t'), key: bytes, value: bytes, headers: fc.array(rawHeader, { maxLength: 5 }) });

describe('record batch', () => {
  it('reads back what it wrote, whatever the bytes', () =>
    fc.assert(
      fc.asyncProperty(fc.array(outgoing, { minLength: 1, maxLength: 80 }), async (records) => {
        const read = await decode(encode(records));
        expect(read.map(({ key, value, rawHeaders }) => ({ topic: 't', key, value, headers: rawHeaders }))).toEqual(records);
        expect(read.map(({ offset }) => offset)).toEqual(records.map((_, i) => String(i)));
      }),
      { numRuns: 100 },
    ));

  it('has the checksum that the broker computes', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (array) => {
        const bytes = Buffer.from(array);
        expect(crc32c(bytes)).toBe(theirCrc32c(bytes));
      }),
    ));

  it('writes what the decoder of kafkajs reads', async () => {
    const headers = { a: 'x', b: Buffer.from('ÿ') };
    const { records } = await theirDecoder(new Decoder(encode([record('ä', headers), record(null), record('x'.repeat(100_000))])));
    expect(records.map(({ value }) => value?.toString() ?? null)).toEqual(['ä', null, 'x'.repeat(100_000)]);
    expect(records[0]).toMatchObject({ timestamp: '1700000000000', key: Buffer.from('k'), headers: { a: Buffer.from('x'), b: Buffer.from('ÿ') } });
  });

  it('reads a record with 10,000 headers at once, and only when asked', async () => {
    const headers = Array.from({ length: 10_000 }, (_, i) => ({ key: Buffer.from(`h${i}`), value: Buffer.from(String(i)) }));
    const batch = encode([record('v', headers)]);
    const start = process.cpuUsage();
    const [read] = await decode(batch);
    expect(read!.headers['h9999']).toBe('9999');
    const { user, system } = process.cpuUsage(start); // whatever else the machine does
    expect((user + system) / 1_000).toBeLessThan(1_000); // kafkajs takes 17 s
  });

  it('begins at the wanted offset within a batch, and skips batches before it', async () => {
    const batches = Buffer.concat([stored(encode([record('a'), record('b')]), 10), stored(encode([record('c'), record('d')]), 12)]);
    expect(values(await decode(batches, 11))).toEqual(['b', 'c', 'd']);
    expect(values(await decode(batches, 13))).toEqual(['d']);
  });

  it('leaves a batch that the response cuts short to the next fetch', async () => {
    const batches = Buffer.concat([stored(encode([record('a')]), 0), stored(encode([record('b')]), 1)]);
    for (let cut = 1; cut < 60; cut += 7) expect(values(await decode(batches.subarray(0, -cut)))).toEqual(['a']);
  });

  it('tells control records, which nobody is shown', async () => {
    const [control] = await decode(stored(encode([record('commit')]), 0, 0x30));
    expect(control).toMatchObject({ isControlRecord: true, batchContext: { inTransaction: true } });
  });

  it('takes the time of the broker where the topic says so', async () => {
    const batch = stored(encode([record('a')], 1_000), 0, 0x08);
    batch.writeBigInt64BE(9_999n, 35);
    expect((await decode(batch))[0]!.timestamp).toBe('9999');
  });
});

const xerial = (plain: Buffer): Buffer => {
  const chunks = [plain.subarray(0, 1_000), plain.subarray(1_000)].map((chunk) => snappy.compress(chunk));
  const framed = chunks.flatMap((chunk) => [Buffer.from([0, 0, 0, chunk.length >> 8, chunk.length & 255].slice(1)), chunk]);
  return Buffer.concat([Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1'), ...framed]);
};
const compressors: [string, number, (plain: Buffer) => Buffer][] = [
  ['gzip', 1, (plain) => zlib.gzipSync(plain)],
  ['bare snappy', 2, (plain) => snappy.compress(plain)],
  ['framed snappy', 2, xerial],
  ['lz4', 3, (plain) => lz4.compressFrameSync(plain)],
  ['zstd', 4, (plain) => zlib.zstdCompressSync(plain)],
];

describe.each(compressors)('a batch in %s', (_name, codec, compress) => {
  const texts = Array.from({ length: 50 }, (_, i) => `record ${i} `.repeat(20));

  it('is unpacked', async () => {
    const batch = stored(encode(texts.map((text) => record(text))), 100, codec, compress);
    const read = await decode(batch);
    expect(values(read)).toEqual(texts);
    expect(read.at(-1)!.offset).toBe('149');
  });

  it('that is broken becomes one record that says so, with the bytes as they came, and what follows is read', async () => {
    const broken = stored(encode(texts.map((text) => record(text))), 100, codec, (plain) => compress(plain).subarray(0, 40));
    const read = await decode(Buffer.concat([broken, stored(encode([record('next')]), 150)]));
    expect(read).toHaveLength(2);
    expect(read[0]).toMatchObject({ offset: '149', undecodable: { reason: 'not-json', detail: expect.stringContaining('offsets 100 to 149') } });
    expect(read[0]!.value).toEqual(broken);
    expect(values(read)[1]).toBe('next');
  });

  it('that unpacks to more than the bound is refused without unpacking it', async () => {
    const bomb = stored(encode([record(Buffer.alloc(batchLimit + 1))]), 5, codec, (plain) =>
      codec === 2 && _name.startsWith('framed') ? xerialBomb(plain) : compress(plain),
    );
    const before = process.memoryUsage().arrayBuffers;
    const read = await decode(bomb);
    expect(read).toMatchObject([{ offset: '5', undecodable: { reason: 'oversize' } }]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(batchLimit + (8 << 20));
  });
});

describe('a record too large to be set aside', () => {
  it('is refused with its whole batch, packed as it came; one that just fits is read', async () => {
    const packed = (size: number) => stored(encode([record('beside'), record(Buffer.alloc(size))]), 5, 1, (plain) => zlib.gzipSync(plain));
    const large = packed(recordLimit);
    expect(await decode(large)).toMatchObject([{ offset: '6', value: large, undecodable: { reason: 'oversize' } }]);
    expect((await decode(packed(recordLimit - 100))).map(({ offset, undecodable }) => [offset, undecodable])).toEqual([['5', undefined], ['6', undefined]]);
  });
});

/** Many chunks, each harmless. */
const xerialBomb = (plain: Buffer): Buffer => {
  const chunk = snappy.compress(plain.subarray(0, 1 << 20));
  const length = Buffer.alloc(4);
  length.writeInt32BE(chunk.length);
  const header = Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1');
  return Buffer.concat([header, ...Array.from({ length: 40 }, () => [length, chunk]).flat()]);
};

describe('batches that other clients wrote', () => {
  const golden = require('../testing/golden-batches.json') as Record<string, string>;

  it.each(Object.entries(golden))('are read: %s', async (_name, base64) => {
    const read = await decode(Buffer.from(base64, 'base64'));
    expect(values(read).map((value) => (JSON.parse(value) as { n: number }).n)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });
});

describe('a hostile batch', () => {
  it('of an unknown codec or an old format becomes one record', async () => {
    const unknown = stored(encode([record('a'), record('b')]), 0, 5);
    const old = stored(encode([record('a')]), 0);
    old[16] = 1;
    expect(await decode(unknown)).toMatchObject([{ offset: '1', undecodable: { reason: 'not-json' } }]);
    expect(await decode(old)).toMatchObject([{ offset: '0', undecodable: { reason: 'not-json' } }]);
  });

  it('never throws and always moves on, however it is damaged', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 20 }), async (damage) => {
        const batch = stored(encode([record('a'.repeat(50), { h: 'x' }), record('b'), record(null)]), 3);
        for (const [at, byte] of damage) batch[61 + (at % (batch.length - 61))] = byte;
        const read = await decode(batch);
        expect(read.length).toBeGreaterThan(0);
        for (const { headers, rawHeaders } of read) expect(rawHeaders.length).toBeGreaterThanOrEqual(Object.keys(headers).length);
      }),
      { numRuns: 300, examples: [[[[1754278252, 75], [1803581371, 7], [1471552753, 127]]]] }, // an offset before the batch
    ));

  it('of countless records is read in parts that fit the budget', async () => {
    const batch = stored(encode(Array.from({ length: 1_000 }, (_, i) => record(String(i)))), 0);
    const seen: string[] = [];
    for (let next = 0; next < 1_000; next = seen.length) {
      const part = await decode(batch, next, { bytes: 1 << 20, records: 300 });
      expect(part.length).toBeLessThanOrEqual(300);
      seen.push(...values(part));
    }
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, i) => String(i)));
  });

  it('is read whatever it takes when it is the first of a response; what follows, on any partition, waits for the next', async () => {
    const batches = Buffer.concat([stored(encode([record('a')]), 0), stored(encode([record('b')]), 1)]);
    const budget = { bytes: 0, records: 0 };
    expect(values(await decode(batches, 0, budget))).toEqual(['a']);
    expect(await decode(batches, 0, budget)).toEqual([]);
    expect(values(await decode(batches, 1, { bytes: 0, records: 0 }))).toEqual(['b']);
  });
});

const forLarge = compressors.filter(([name]) => name !== 'framed snappy'); // whose frames here are of a chunk of 64 KiB at most
describe.each(forLarge)('batches in %s of many partitions', (_name, codec, compress) => {
  const large = stored(encode([record('x'), record('x'.repeat(3 << 20)), record('x'.repeat(3 << 20))]), 0, codec, compress);

  it('take no more than the budget together, and leave nothing out in between', async () => {
    const budget = { bytes: 16 << 20, records: 1_000 };
    const behind = stored(encode([record('behind')]), 3);
    const read: FetchedRecord[][] = [];
    for (let i = 0; i < 12; i++) read.push(await decode(Buffer.concat([large, behind]), 0, budget));
    expect(read.map(({ length }) => length)).toEqual([4, 4, ...Array.from({ length: 10 }, () => 0)]);
    expect(budget.bytes).toBeLessThanOrEqual(0);
  });

  it('are no dead letters for what they would take beyond the budget: each is read when it is the first', async () => {
    const budget = { bytes: 5 << 20, records: 1_000, isBegun: true };
    expect(await decode(large, 0, budget)).toEqual([]);
    expect((await decode(large, 0, { ...budget, isBegun: false })).map(({ undecodable }) => undecodable)).toEqual([undefined, undefined, undefined]);
  });
});
