import type { CallOptions, Calls } from './calls.js';
import { pause } from './patience.js';
import type { TimelineItem } from './types.js';

/** An event of one of the organisation's tickets; hidden in a note's place from who may not read notes. */
export type FeedItem = TimelineItem & { id: string; ticketId: string };

/** What following the feed may be told. */
export interface FeedOptions extends CallOptions {
  /** Events a request asks for (100). */
  limit?: number | undefined;
  /** At the present it looks again after so many ms, for ever; without it the feed ends there. */
  pollMs?: number | undefined;
}

interface FeedPage {
  items: FeedItem[];
  nextAfter: string;
}

/** The organisation's events, resumable for ever; for administrators. */
export class Events {
  constructor(private readonly calls: Calls) {}

  /** What happened after a position; `0` is the beginning. */
  after(position = '0', options: FeedOptions = {}): EventFeed {
    return new EventFeed(this.calls, position, options);
  }
}

/**
 * Events in the order of the feed, to be gone through with `for await`, once. `position` is where to go on later: it moves when all events of a request were
 * taken and the next one is asked for, so that who keeps it meets an event again rather than never.
 */
export class EventFeed implements AsyncIterable<FeedItem> {
  readonly #calls: Calls;
  readonly #options: FeedOptions;
  #position: string;

  constructor(calls: Calls, position: string, options: FeedOptions) {
    this.#calls = calls;
    this.#position = position;
    this.#options = options;
  }

  get position(): string {
    return this.#position;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FeedItem, void, undefined> {
    const { limit = 100, pollMs, signal } = this.#options;
    for (;;) {
      const page: FeedPage = await this.#calls.read('/events', { after: this.#position, limit }, this.#options);
      yield* page.items;
      this.#position = page.nextAfter;
      if (page.items.length > 0) continue;
      if (pollMs === undefined) return;
      await pause(pollMs, signal);
    }
  }
}
