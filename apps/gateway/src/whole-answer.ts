import type { Dispatcher } from 'undici';

/** An answer of another service that has come to its end. */
export interface WholeAnswer {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/**
 * Asks for an answer that is taken as a whole. undici's own `request` makes a stream of every body, which costs a short one as much as the rest of its way.
 * @throws what undici throws, for what breaks off amid its body as well
 */
export const wholeAnswer = (pool: Dispatcher, options: Dispatcher.DispatchOptions): Promise<WholeAnswer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let head: Omit<WholeAnswer, 'body'>;
    pool.dispatch(options, {
      onRequestStart: () => undefined, // tells undici the form of the other functions
      onResponseStart: (_, statusCode, headers) => void (head = { statusCode, headers }),
      onResponseData: (_, chunk) => void chunks.push(chunk),
      onResponseEnd: () => resolve({ ...head, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }),
      onResponseError: (_, error) => reject(error),
    });
  });
