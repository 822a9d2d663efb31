import { Controller, Get, Header, Query, Req, UseGuards, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { EventsQuery, FollowQuery, type Principal } from '#contracts';
import { lacks } from '#domain';
import { ProblemError } from '#observability';
import { ReaderGuard } from '../reader.guard.js';
import type { ReadModel } from '../generations/read-model.js';
import { Readings } from '../generations/readings.js';
import { FeedNews } from './feed-news.js';
import { FeedPlaces, type Place } from './feed-places.js';
import type { Fed } from './feed.reader.js';
import { FeedStore } from './feed.store.js';

const json = ['content-type', 'application/json; charset=utf-8'] as const;
/** Between looks without news, ms. */
const lookMs = 2_000;
/** Who does not see everything goes on from no earlier than so long ago, ms: what has left their sight since is none of theirs. */
const replayMs = 86_400_000;

/** An organisation's events in one order for ever: a page of them, and for gateways with what they judge by who hears of each. */
@Controller()
@UseGuards(ReaderGuard)
export class FeedController implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();

  constructor(
    private readonly readings: Readings<ReadModel>,
    private readonly feed: FeedStore,
    private readonly news: FeedNews,
    private readonly places: FeedPlaces,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping.abort();
  }

  @Get('v1/events')
  @Header(...json)
  async events(@Query({ schema: EventsQuery }) { after, limit }: EventsQuery, @Req() { reader: { principal } }: FastifyRequest): Promise<string> {
    const from = this.placeOf(principal, after);
    const found = await this.page(principal.orgId, from, limit);
    return `{"items":[${found.map(textOf).join(',')}],"nextAfter":${JSON.stringify(this.placeBehind(principal.orgId, found, from))}}`;
  }

  /** What comes behind a place, waited for; without one, where the feed ends now. */
  @Get('internal/feed')
  @Header(...json)
  async follow(@Query({ schema: FollowQuery }) { after, limit, waitMs, isRecent }: FollowQuery, @Req() { reader: { principal }, raw }: FastifyRequest): Promise<string> {
    const { orgId } = principal;
    demandAll(principal);
    if (after === undefined) return JSON.stringify({ items: [], next: this.places.write(orgId, await this.feed.end(orgId)) });
    const from = this.placeOf(principal, after);
    if (isRecent) await this.demandRecent(orgId, from);
    const found = await this.await({ orgId, from, limit, waitMs }, raw.socket);
    const items = found.map((fed) => ({ place: this.places.write(orgId, fed.place), ...fed.entry, isNote: fed.row.kind === 'note', text: textOf(fed) }));
    return JSON.stringify({ items, next: this.placeBehind(orgId, found, from) });
  }

  private async await({ orgId, from, limit, waitMs }: { orgId: string; from: Place; limit: number; waitMs: number }, socket: FastifyRequest['raw']['socket']): Promise<Fed[]> {
    const gone = new AbortController();
    const leave = () => gone.abort();
    socket.once('close', leave);
    const signal = AbortSignal.any([gone.signal, this.stopping.signal]);
    try {
      for (const deadline = performance.now() + waitMs; ; ) {
        const news = this.news.behind(orgId, from, { ms: Math.min(lookMs, waitMs), signal }); // begun before the look: what is added meanwhile is not slept through
        const found = await this.page(orgId, from, limit);
        if (found.length > 0 || signal.aborted || performance.now() >= deadline) return found;
        await news;
      }
    } finally {
      socket.off('close', leave);
    }
  }

  private async demandRecent(orgId: string, from: Place): Promise<void> {
    const at = await this.feed.writtenBehind(orgId, from);
    if (at && Date.now() - at.getTime() > replayMs) throw new ProblemError('invalid-cursor', 'This place is too long ago to go on from.');
  }

  private page(orgId: string, from: Place, limit: number): Promise<Fed[]> {
    return this.readings.read(({ events }) => events.after(orgId, from, limit));
  }

  private placeOf(principal: Principal, after: string): Place {
    demandAll(principal);
    const place = this.places.read(principal.orgId, after);
    if (!place) throw new ProblemError('invalid-cursor', '`after` is not a place in this feed.');
    return place;
  }

  private placeBehind(orgId: string, found: readonly Fed[], from: Place): string {
    return this.places.write(orgId, found.at(-1)?.place ?? from);
  }
}

/** @throws ProblemError forbidden */
function demandAll(principal: Principal) {
  const missing = lacks(principal, 'administer');
  if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
}

/** The event as feeds tell it: its row's text with the names in front. */
const textOf = ({ entry: { ticketId, version }, row }: Fed) => `{"id":"${ticketId}:${version}","ticketId":"${ticketId}",${row.item.slice(1)}`;
