import * as zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import lz4 from 'lz4-napi';
import snappy from 'snappyjs';

const { CompressionCodecs, CompressionTypes } = kafkajs;

/** Only for writing: what reads is under test. */
const writeOnly = (compress: (plain: Buffer) => Buffer) => () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => compress(buffer),
  decompress: () => Promise.reject(new Error('not the decoder under test')),
});

/** Lets producers of kafkajs write with every codec that there is; answers them by name. */
export function everyCodec() {
  CompressionCodecs[CompressionTypes.Snappy] = writeOnly((plain) => snappy.compress(plain));
  CompressionCodecs[CompressionTypes.LZ4] = writeOnly((plain) => lz4.compressFrameSync(plain));
  CompressionCodecs[CompressionTypes.ZSTD] = writeOnly((plain) => zlib.zstdCompressSync(plain));
  const { GZIP, Snappy, LZ4, ZSTD } = CompressionTypes;
  return { GZIP, Snappy, LZ4, ZSTD };
}
