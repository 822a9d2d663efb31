import { gzipSync } from 'node:zlib';
import kafkajs, { type Producer } from 'kafkajs';
import { encodeBatch, packRecord } from '../src/batch-writer.js';
import type { OutgoingRecord } from '../src/record.js';

const { CompressionCodecs, CompressionTypes } = kafkajs;
const headOfBatch = 61;

/**
 * Writes records as one batch in gzip with a producer of kafkajs, whose own encoder takes seconds over thousands of headers: it only numbers them here.
 * One call at a time.
 */
export async function sendPacked(producer: Producer, { topic, partition }: { topic: string; partition: number }, records: readonly OutgoingRecord[]): Promise<void> {
  const packed = gzipSync(encodeBatch(records.map(packRecord), 0).subarray(headOfBatch));
  const gzip = CompressionCodecs[CompressionTypes.GZIP];
  CompressionCodecs[CompressionTypes.GZIP] = () => ({ compress: async () => packed });
  try {
    await producer.send({ topic, compression: CompressionTypes.GZIP, messages: records.map(() => ({ value: null, partition })) });
  } finally {
    CompressionCodecs[CompressionTypes.GZIP] = gzip;
  }
}
