import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Followed, type Principal } from '#contracts';
import { ProblemError } from '#observability';
import type { Queries } from '../queries.js';

/** The parts of a place that are in order: later ones are greater. The rest is a signature. */
type Order = readonly [block: number, entry: number];

/** An event of a feed, with what decides who sees it and its place in order. */
export type FollowedEvent = Followed['items'][number] & { order: Order };

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
    this.asker = gatewayOf(parts.orgId);
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
  async after(place: string, { isRecent = false } = {}): Promise<FollowedEvent[]> {
    return (await this.ask({ after: place, limit: most, waitMs: 0, ...(isRecent && { isRecent: true as const }) })).items;
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
        if (!signal.aborted) logger.warn({ msg: 'a feed cannot be read right now', orgId: this.parts.orgId, err });
        await sleep(againMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async ask(query: Parameters<Queries['follow']>[1]): Promise<{ items: FollowedEvent[]; next: string }> {
    const { status, body } = await this.parts.queries.follow(this.asker, query, this.stopping.signal);
    if (status === 422) throw new ProblemError('invalid-cursor', 'Last-Event-ID is not a place in this stream, or one from too long ago.');
    if (status !== 200) throw new ProblemError('dependency-unavailable', 'Events cannot be read right now.', {}, { 'retry-after': '1' });
    const { items, next } = Followed.parse(body);
    return { items: items.map((item) => ({ ...item, order: orderOf(item.place) })), next };
  }
}

/** As whom the gateway asks for itself. */
export const gatewayOf = (orgId: string): Principal => ({ orgId, actor: { type: 'system', id: 'gateway', name: 'gateway' }, access: { role: 'admin', assistantIds: [] } });

/** The order of a place. */
export const orderOf = (place: string) => place.split('.', 2).map(Number) as [number, number];

/** Whether one place lies behind another. */
export const isBehind = ([block, entry]: Order, [otherBlock, otherEntry = 0]: Order) => block > otherBlock || (block === otherBlock && entry > otherEntry);
