import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DeadlineNews, NoticeTold } from '#contracts';
import { lacks } from '#domain';
import { ProblemError } from '#observability';
import { AuthGuard } from '../auth.guard.js';
import type { Caller } from '../caller.js';
import { openStreams } from '../metrics.js';
import { Queries } from '../queries.js';
import type { Exchange } from '../writes.js';
import { DeadlineFeed } from './deadline-news.js';
import { Listener } from './listener.js';
import { isBehind, orderOf, OrgFeed, type FollowedEvent } from './org-feed.js';
import { seenNow } from './seen-now.js';
import { hearsNotice } from './told.policy.js';

/** What has been taken away must bite within 5 s (contract section 6), and what the guard says may be 4 s old. */
const recheckMs = 1_000;
/** Proxies close what is silent for a minute, or half of one. */
const heartbeatMs = 15_000;
/** Between looks for what was missed where there is nothing yet, ms. */
const againMs = 300;
/** Streams of one process. */
const mostStreams = 5_000;

interface Open {
  request: FastifyRequest;
  listener: Listener;
  /** When to look again whether the caller is still let in, ms. */
  until: number;
}

/** The listeners to one organisation, and the feed that is followed for them. */
interface Audience {
  feed: OrgFeed;
  deadlines: DeadlineFeed;
  open: Set<Open>;
  /** Those of the open streams. */
  listeners: Set<Listener>;
  /** Streams that are open or about to be. */
  users: number;
}

/** The open streams of this process: each organisation is followed once, whoever listens to it. */
@Injectable()
export class Streams implements BeforeApplicationShutdown {
  recheckMs = recheckMs;
  heartbeatMs = heartbeatMs;
  private readonly logger = new Logger('stream');
  private readonly audiences = new Map<string, Audience>();
  private count = 0;
  private isStopping = false;

  constructor(
    private readonly queries: Queries,
    private readonly guard: AuthGuard,
  ) {}

  /** Opens a stream, behind `Last-Event-ID` where there is one. @throws ProblemError forbidden, invalid-cursor, overloaded, dependency-unavailable */
  async open({ request, reply }: Exchange): Promise<void> {
    const { caller } = request;
    demandReading(caller);
    if (request.method === 'HEAD') return void reply.headers(streamHeaders).send();
    const audience = this.enter(caller.principal.orgId);
    try {
      this.demandRoom();
      await audience.feed.ready();
      const { place, missed } = await placeOf(request, audience.feed);
      this.demandRoom();
      if (reply.raw.destroyed) return this.leave(audience); // nobody would hear that it has closed
      const open = this.begin(request, reply, { place, audience });
      open.listener.tell(missed);
      void this.catchUp(open, audience);
    } catch (error) {
      this.leave(audience);
      throw error;
    }
  }

  /** Tells what becomes of deadlines, whoever hears it now. */
  tellDeadlines(news: readonly DeadlineNews[]): void {
    for (const one of news) {
      const audience = this.audiences.get(one.orgId);
      if (audience !== undefined) void audience.deadlines.tell(one, audience.listeners);
    }
  }

  /** Tells people what they are told, wherever they listen now. */
  tellNotices(told: readonly NoticeTold[]): void {
    for (const one of told) {
      const words = Buffer.from(`event: notice\ndata: ${JSON.stringify(one.notice)}\n\n`);
      for (const { listener } of this.audiences.get(one.orgId)?.open ?? []) if (hearsNotice(listener.principal, one)) listener.tellOrDrop(words);
    }
  }

  /** @throws ProblemError overloaded */
  private demandRoom(): void {
    if (this.count > mostStreams || this.isStopping) throw new ProblemError('overloaded', 'There are too many open streams here.', {}, { 'retry-after': '5' });
  }

  /** Who reads goes on elsewhere: streams would hold up the stop. */
  beforeApplicationShutdown(): void {
    this.isStopping = true;
    for (const { open, feed } of this.audiences.values()) {
      feed.stop();
      for (const { listener } of open) listener.end();
    }
  }

  private begin(request: FastifyRequest, reply: FastifyReply, { place, audience }: { place: string; audience: Audience }): Open {
    const { principal } = request.caller;
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...streamHeaders });
    const listener = new Listener(raw, principal, place);
    const open: Open = { request, listener, until: request.caller.until ?? Infinity };
    audience.open.add(open);
    audience.listeners.add(listener);
    const timers = [setInterval(() => void this.recheck(open), this.recheckMs), setInterval(() => listener.beat(), this.heartbeatMs)];
    raw.on('error', (err) => this.logger.debug({ msg: 'a stream broke off', err }));
    raw.once('close', () => {
      timers.forEach(clearInterval);
      audience.open.delete(open);
      audience.listeners.delete(listener);
      this.leave(audience);
    });
    listener.begin();
    return open;
  }

  /** Reads what was missed, as fast as the reader takes it, until there is nothing that those who are live have heard before. */
  private async catchUp({ listener }: Open, { feed }: Audience): Promise<void> {
    try {
      for (await listener.ready(); isBehind(orderOf(feed.reached!), orderOf(listener.place)); await listener.ready()) {
        if (!listener.isOpen) return;
        const events = await feed.after(listener.place);
        listener.tell(events);
        if (events.length === 0) await sleep(againMs); // another read model may answer by now, which is not as far
      }
      listener.isLive = true;
    } catch (err) {
      this.logger.debug({ msg: 'a stream cannot go on', err });
      listener.end();
    }
  }

  private async recheck(open: Open): Promise<void> {
    const { listener, request } = open;
    if (open.until <= Date.now()) return listener.end(); // nobody can tell whether the API key still counts
    if (!listener.isOpen) return;
    try {
      const { principal, until = Infinity } = await this.guard.admit(request);
      open.until = until;
      if (lacks(principal, 'read') !== null) listener.end();
      listener.principal = principal;
    } catch (err) {
      // The guard serves on for some seconds when it cannot ask; then what has been taken away would be told on.
      this.logger.debug({ msg: 'a stream ends: its reader is not let in any more, or nobody can tell', err });
      listener.end();
    }
  }

  private enter(orgId: string): Audience {
    const audience = this.audiences.get(orgId) ?? this.newAudience(orgId);
    this.audiences.set(orgId, audience);
    audience.users += 1;
    openStreams.set((this.count += 1));
    return audience;
  }

  private newAudience(orgId: string): Audience {
    const open = new Set<Open>();
    const deadlines = new DeadlineFeed((ticketId) => seenNow(this.queries, orgId, ticketId));
    const tell = (events: readonly FollowedEvent[]) => {
      deadlines.note(events);
      open.forEach((one) => this.tellLive(one, audience, events));
    };
    const audience: Audience = { feed: new OrgFeed({ queries: this.queries, orgId, tell }), deadlines, open, listeners: new Set(), users: 0 };
    return audience;
  }

  private tellLive(open: Open, audience: Audience, events: readonly FollowedEvent[]): void {
    const { listener } = open;
    if (!listener.isLive || listener.tell(events)) return;
    listener.isLive = false;
    void this.catchUp(open, audience);
  }

  private leave(audience: Audience): void {
    openStreams.set((this.count -= 1));
    if ((audience.users -= 1) > 0) return;
    audience.feed.stop();
    for (const [orgId, known] of this.audiences) if (known === audience) this.audiences.delete(orgId);
  }
}

const streamHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

/**
 * Where a stream begins, and the first of what was missed: a place that is none is refused before anything is answered. Who does not see everything goes
 * on from lately only: what has left their sight since is none of theirs.
 * @throws ProblemError invalid-cursor, dependency-unavailable
 */
async function placeOf({ headers, caller }: FastifyRequest, feed: OrgFeed): Promise<{ place: string; missed: FollowedEvent[] }> {
  const last = headers['last-event-id'];
  if (last === undefined || last === '') return { place: feed.reached!, missed: [] };
  const isRecent = lacks(caller.principal, 'administer') !== null;
  return { place: String(last), missed: await feed.after(String(last), { isRecent }) };
}

/** @throws ProblemError forbidden */
function demandReading({ principal }: Caller) {
  const missing = lacks(principal, 'read');
  if (missing !== null) throw new ProblemError('forbidden', `This needs ${missing}.`, { missing });
}
