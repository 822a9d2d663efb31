import { TextDecoder } from 'node:util';
import type { IncomingMessage } from 'node:http';
import { canonicalJson, UnwelcomeJson } from '#contracts';
import { ProblemError } from '#observability';

/** A body that was read: what it says, and its canonical text, by which repeats of a request are told from other requests. */
export interface JsonBody {
  value: unknown;
  canonical: string;
}

/** Bytes of a body that is too large that are read and dropped before the answer: who still writes does not read it. */
const drainBytes = 8 * 1024 * 1024;

/** Reads a body of at most `most` bytes. Calls back once. */
export function readBody(stream: IncomingMessage, most: number, done: (error: Error | null, body?: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (error: Error | null) => {
    stream.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError);
    done(error, error === null ? Buffer.concat(chunks) : undefined);
  };
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
    else chunks.length = 0;
    if (size > most + drainBytes) finish(tooLarge(most));
  };
  const onEnd = () => finish(size > most ? tooLarge(most) : null);
  const onError = () => finish(new ProblemError('malformed-request', 'The body is not as long as announced.'));
  stream.on('data', onData).on('end', onEnd).on('error', onError).on('close', onError);
}

const tooLarge = (most: number) => new ProblemError('payload-too-large', `A request has at most ${most / 1024} KiB here.`);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses a body. @throws ProblemError 400: not UTF-8, not JSON, nested too deep, or with a key that could reach a prototype */
export function parseBody(bytes: Buffer): JsonBody {
  const value = parseJson(bytes);
  return { value, canonical: canonicalText(value) };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw malformed('The body is not JSON in UTF-8.');
  }
}

function canonicalText(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    throw error instanceof UnwelcomeJson ? malformed(`The body ${error.message}.`) : error;
  }
}

const malformed = (detail: string) => new ProblemError('malformed-request', detail);
