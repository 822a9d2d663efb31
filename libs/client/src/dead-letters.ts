import type { Calls, CallOptions, WriteOptions } from './calls.js';
import { pagesOf } from './pages.js';
import type { DeadLetter, DeadLetterWhole, PageQuery } from './types.js';

/** Records of the organisation that a service gave up on; for administrators. */
export class DeadLetters {
  constructor(private readonly calls: Calls) {}

  /** All of them, in the order of their topics. */
  list(query: PageQuery = {}, options: CallOptions = {}): AsyncGenerator<DeadLetter, void, undefined> {
    return pagesOf(this.calls, '/dead-letters', { query, options });
  }

  /** One of them with the record as it came. */
  get(id: string, options?: CallOptions): Promise<DeadLetterWhole> {
    return this.calls.read(at(id), {}, options);
  }

  /** Sends it back to where it came from, once. */
  replay(id: string, options?: WriteOptions): Promise<DeadLetter> {
    return this.calls.write({ method: 'POST', path: `${at(id)}/replay` }, options);
  }

  /** Puts it aside for good; the reason says why nothing is lost by it. */
  discard(id: string, reason: string, options?: WriteOptions): Promise<DeadLetter> {
    return this.calls.write({ method: 'POST', path: `${at(id)}/discard`, body: { reason } }, options);
  }
}

const at = (id: string) => `/dead-letters/${encodeURIComponent(id)}`;
