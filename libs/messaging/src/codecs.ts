import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import snappy from 'snappyjs';

/** A batch unpacks to more than the bound: not an accident of the network, so never worth another try. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

const tooLarge = (limit: number) => new TooLarge(`the batch unpacks to more than ${limit} bytes`);

type Unpack = (packed: Buffer, limit: number) => Promise<Buffer>;

const gunzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip);

/** Runs a zlib call whose own bound (`maxOutputLength`) reports by an error code. */
async function bounded(limit: number, unpack: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await unpack();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(limit) : error;
  }
}

const xerialMagic = Buffer.from('\x82SNAPPY\0', 'latin1');

/** Java frames Snappy by its own scheme (magic, two versions, then length-prefixed chunks); librdkafka and Go write it bare. */
const unpackSnappy: Unpack = async (packed, limit) => {
  const isFramed = packed.subarray(0, xerialMagic.length).equals(xerialMagic);
  const chunks: Buffer[] = [];
  let room = limit;
  const [first, prefix] = isFramed ? [16, 4] : [0, 0];
  for (let at = first; at < packed.length; ) {
    const length = isFramed ? packed.readInt32BE(at) : packed.length;
    const start = at + prefix;
    const chunk = packed.subarray(start, start + length);
    if (length <= 0 || chunk.length < length) throw new Error('a Snappy chunk is cut short');
    if (snappyLength(chunk) > room) throw tooLarge(limit);
    const plain = snappy.uncompress(chunk);
    chunks.push(plain);
    room -= plain.length;
    at = start + length;
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
};

/** The unpacked length that a Snappy block announces. */
function snappyLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  return Infinity;
}

const lz4BlockSizes = [0, 0, 0, 0, 64 << 10, 256 << 10, 1 << 20, 4 << 20];

/**
 * An upper bound of what an LZ4 frame unpacks to, from its block lengths alone: the native decoder has no bound of its own,
 * and a megabyte of LZ4 may hold 255.
 */
function lz4Bound(frame: Buffer): number {
  if (frame.readUInt32LE(0) !== 0x184d2204) throw new Error('not an LZ4 frame');
  const flags = frame.readUInt8(4);
  const blockSize = lz4BlockSizes[(frame.readUInt8(5) >> 4) & 7]!;
  const blockChecksum = flags & 0x10 ? 4 : 0;
  let at = 6 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1;
  let bound = 0;
  for (let length = frame.readUInt32LE(at); length !== 0; length = frame.readUInt32LE(at)) {
    const isStored = length >= 0x80000000;
    const bytes = length & 0x7fffffff;
    bound += isStored ? bytes : Math.min(blockSize, bytes * 255);
    at += 4 + bytes + blockChecksum;
  }
  return bound;
}

const require = createRequire(import.meta.url);

const loadLz4 = () => require('lz4-napi') as typeof import('lz4-napi');

const unpackLz4: Unpack = async (packed, limit) => {
  if (lz4Bound(packed) > limit) throw tooLarge(limit);
  return loadLz4().decompressFrame(packed);
};

const unpackZstd: Unpack = (packed, limit) => {
  const unzstd = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);
  return bounded(limit, () => unzstd(packed, { maxOutputLength: limit }));
};

/** By the codec number in a record batch's attributes; 0 is "not compressed". */
export const codecs: Readonly<Record<number, { readonly name: string; readonly unpack: Unpack }>> = {
  1: { name: 'gzip', unpack: (packed, limit) => bounded(limit, () => gunzip(packed, { maxOutputLength: limit })) },
  2: { name: 'snappy', unpack: unpackSnappy },
  3: { name: 'lz4', unpack: unpackLz4 },
  4: { name: 'zstd', unpack: unpackZstd },
};

/**
 * To be called before reading anything: a codec that this process lacks is no fault of the batches written with it.
 * @throws what is missing.
 */
export function assertCodecs(): void {
  if (typeof zlib.zstdDecompress !== 'function') throw new Error(`Zstandard needs Node.js 22.15 or newer, this is ${process.version}`);
  loadLz4();
}
