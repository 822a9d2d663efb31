import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Followed, type Principal } from '#contracts';
import { ProblemError } from '#observability';
import type { Queries } from '../queries.js';

/** An event of a feed, with what decides who sees it. */
export type FollowedEvent = Followed['items'][number];

export interface FollowerParts {
  queries: Pick<Queries, 'follow'>;
  orgId: string;
  /** Gets events in order, each once. */
  tell: (events: readonly FollowedEvent[]) => void;
}

/** How long one request waits for news, and how long to rest after one that failed, ms. */
const [waitMs, againMs] = [10_000, 500];
const most = 500;

const logger = new Logger('stream');

/** Follows the events of an organisation, for everybody here who listens to it. */
export class OrgFeed {
  /** The gateway asks for itself, and judges for each listener what they hear. */
  private readonly asker: Principal;
  private readonly stopping = new AbortController();
  private position: string | undefined;
  private opening: Promise<void> | undefined;

  constructor(private readonly parts: FollowerParts) {
    this.asker = { orgId: parts.orgId, actor: { type: 'system', id: 'gateway', name: 'gateway' }, access: { role: 'admin', assistantIds: [] } };
  }

  /** Up to where everything was told; undefined before the feed is open. */
  get reached(): string | undefined {
    return this.position;
  }

  /** Begins where the feed ends, unless it has. @throws ProblemError dependency-unavailable */
  async ready(): Promise<void> {
    this.opening ??= this.open();
    await this.opening.catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
  }

  /** Events behind a place that somebody names. @throws ProblemError invalid-cursor, dependency-unavailable */
  async after(place: string): Promise<Followed> {
    return this.ask({ after: place, limit: most, waitMs: 0 });
  }

  stop(): void {
    this.stopping.abort();
  }

  private async open(): Promise<void> {
    this.position = (await this.ask({ limit: 1, waitMs: 0 })).next;
    void this.follow();
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const { items, next } = await this.ask({ after: this.position!, limit: most, waitMs });
        this.position = next;
        if (items.length > 0 && !signal.aborted) this.parts.tell(items);
      } catch (err) {
        if (!signal.aborted) logger.debug({ msg: 'a feed cannot be read right now', orgId: this.parts.orgId, err });
        await sleep(againMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async ask(query: { after?: string; limit: number; waitMs: number }): Promise<Followed> {
    const { status, body } = await this.parts.queries.follow(this.asker, query, this.stopping.signal);
    if (status === 200) return Followed.parse(body);
    if (status === 422) throw new ProblemError('invalid-cursor', 'Last-Event-ID is not a place in this stream.');
    throw new ProblemError('dependency-unavailable', 'Events cannot be read right now.', {}, { 'retry-after': '1' });
  }
}

/** The parts of a place that are in order: later ones are greater. The rest is a signature. */
const orderOf = (place: string) => place.split('.', 2).map(Number) as [number, number];

/** Whether one place lies behind another. */
export function isBehind(one: string, other: string): boolean {
  const [[block, entry], [otherBlock, otherEntry]] = [orderOf(one), orderOf(other)];
  return block > otherBlock || (block === otherBlock && entry > otherEntry);
}
