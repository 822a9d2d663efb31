import { setImmediate as breathe } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { TicketEvent } from '#contracts';
import { Fault } from '#messaging';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { deadlinesTold, deadlineTroubles, judgedUpTo, lastTimerLook } from '../metrics.js';
import { WorkLoop } from '../work-loop.js';
import type { Rule } from './clocks.policy.js';
import { HEARING, type Hearing } from './hearing.js';
import { Messenger } from './messenger.js';
import { commandsOf, messageOf } from './outgoing.js';
import { PolicyBook, unruled, type Ruling } from './policy-book.store.js';
import { StoreTime } from './store-time.js';
import { advanced, type Advance } from './watch.policy.js';
import { idOf, WatchedTickets, type Read, type Write } from './watched-tickets.store.js';

/** Tickets that are looked at together. */
const handful = 500;
/** Organisations whose changed policies are seen to together. */
const mostNews = 50;
/** How often timers are looked at, ms. */
const idleMs = 500;
const troubledMs = 1_000;
/** Nothing else of this process waits longer for tickets to be judged, ms: targets may be a year of working hours away. */
const longestMs = 20;
/** With so much of a ticket to be sent, its next events wait: a document has its limits. */
const mostUnsent = 500;

/** A ticket, and what has happened to it. */
interface Course {
  before: Read | undefined;
  orgId: string;
  events: readonly TicketEvent[];
}

/**
 * Watches the deadlines of tickets: by their events, by the store's clock as far as all events were heard, and by policies that change. What comes of it is stored together with what is to be sent, in one
 * write over the ticket as it was read; the messenger sends it.
 */
@Injectable()
export class Timekeeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('deadlines');
  private readonly loop = new WorkLoop({ next: () => this.look(), pauseMs: idleMs, troubledMs, onTrouble: (error) => this.trouble(error) });

  /** The last organisation whose changed policies were seen to. */
  private seenTo = '';

  constructor(
    private readonly tickets: WatchedTickets,
    private readonly book: PolicyBook,
    private readonly directory: DirectoryStore,
    private readonly messenger: Messenger,
    private readonly time: StoreTime,
    @Inject(HEARING) private readonly hearing: Hearing,
  ) {}

  onApplicationBootstrap(): void {
    this.hearing.start();
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.loop.stop(), this.hearing.stop()]);
  }

  /** Policies have changed here. */
  wake(): void {
    this.loop.wake();
  }

  /** Takes in events; those that come late or again change nothing. @throws StoreFault */
  async follow(events: readonly TicketEvent[]): Promise<void> {
    const tickets = new Map<string, TicketEvent[]>();
    for (const event of events) {
      const id = idOf(event.orgId, event.ticketId);
      tickets.set(id, [...(tickets.get(id) ?? []), event]);
    }
    for (let pending = [...tickets.keys()]; pending.length > 0; ) {
      const known = await this.tickets.read(pending);
      for (const { id, outgoing } of known.values()) if (outgoing.length > mostUnsent) throw new Fault(`nothing that was told of ${id} could be sent for long`);
      const courses = pending.map((id): Course => ({ before: known.get(id), orgId: tickets.get(id)![0]!.orgId, events: tickets.get(id)! }));
      pending = [...(await this.advance(courses))];
    }
  }

  /** What is due, and what policies have changed about; whether there may be more. @throws StoreFault */
  async look(): Promise<boolean> {
    const upTo = Math.min(await this.time.read(), this.heardUpTo);
    const due = await this.tickets.due(upTo, handful);
    lastTimerLook.set(Date.now() / 1_000);
    judgedUpTo.set(upTo / 1_000);
    await this.advance(due.map((before) => ({ before, orgId: before.orgId, events: [] })));
    return (await this.lookAtNews()) || due.length === handful;
  }

  /** Judges tickets by policies that have changed, a handful at a time, some of each organisation, one organisation after the other: those with very many hold up no other. @returns whether there may be more */
  private async lookAtNews(): Promise<boolean> {
    const news = await this.book.news(mostNews, this.seenTo);
    const isWrapped = this.seenTo !== '';
    this.seenTo = news.length < mostNews ? '' : news.at(-1)!.orgId;
    const share = Math.ceil(handful / news.length);
    const outdated = await Promise.all(news.map(({ orgId, revision }) => this.tickets.judgedBefore(orgId, revision, share)));
    const lost = await this.advance(outdated.flat().map((before) => ({ before, orgId: before.orgId, events: [] })));
    for (const [i, one] of news.entries()) if (outdated[i]!.length < share && !outdated[i]!.some(({ id }) => lost.has(id))) await this.book.heard(one);
    return news.length > 0 || isWrapped;
  }

  /** What happened later may lie on the topic, unread: nothing is told as missed that was done in time. */
  private get heardUpTo(): number {
    return this.hearing.heardUpTo ?? 0;
  }

  /** @returns tickets that somebody else has written meanwhile */
  private async advance(courses: readonly Course[]): Promise<Set<string>> {
    if (courses.length === 0) return new Set();
    const orgIds = [...new Set(courses.map(({ orgId }) => orgId))];
    const rulings = await this.book.rulings(orgIds);
    const people = new Map<string, People>();
    const writes: Write[] = [];
    let begunAt = performance.now();
    for (const course of courses) {
      if (performance.now() - begunAt > longestMs) {
        await breathe();
        begunAt = performance.now();
      }
      const ruling = rulings.get(course.orgId) ?? unruled;
      const now = this.time.now();
      const advance = advanced(course.before, course.events, { rules: ruling.rules, now, heardUpTo: this.heardUpTo });
      if (advance !== undefined) writes.push(await this.writeOf(course, advance, { ruling, people, now }));
    }
    const lost = await this.tickets.put(writes);
    const stored = writes.filter(({ after: { orgId, ticketId } }) => !lost.has(idOf(orgId, ticketId)));
    for (const { outgoing } of stored) for (const { type } of outgoing) deadlinesTold.inc({ type });
    this.messenger.take(stored);
    await this.tellOfLateRulings(courses, rulings);
    return lost;
  }

  private async writeOf({ before, orgId }: Course, { after, news, consequences, lookAt }: Advance, { ruling, people, now }: { ruling: Ruling; people: Map<string, People>; now: number }): Promise<Write> {
    if (consequences.length > 0 && !people.has(orgId)) people.set(orgId, await this.directory.people(orgId, ruling.rules.flatMap(namedBy)));
    const commands = consequences.flatMap((one) => commandsOf(after, one, { people: people.get(orgId)!, now }));
    return { before, after, ruling: ruling.revision, lookAt, outgoing: [...news.map(messageOf), ...commands] };
  }

  /** Who looked through the tickets for those that an older revision judged may have been through before ours were stored. */
  private async tellOfLateRulings(courses: readonly Course[], used: ReadonlyMap<string, Ruling>): Promise<void> {
    const oldest = new Map<string, number>();
    for (const course of courses) if (course.events.length > 0) oldest.set(course.orgId, Math.min(oldest.get(course.orgId) ?? Infinity, judgedBy(course, used)));
    const current = await this.book.revisions([...oldest.keys()]);
    for (const [orgId, revision] of current) if (oldest.get(orgId)! < revision) await this.book.tellAgain(orgId);
  }

  private trouble(error: unknown): void {
    deadlineTroubles.inc();
    this.logger.warn({ msg: 'deadlines cannot be watched right now', err: error });
  }
}

/** Whom a policy gives tickets to. */
const namedBy = ({ policy }: Rule) => policy.onMissed.flatMap((action) => (action.type === 'reassign' && action.to !== null ? [action.to] : []));

/** The oldest revision of policies that has to do with a ticket now. */
const judgedBy = ({ before, orgId }: Course, used: ReadonlyMap<string, Ruling>) => Math.min(before?.ruling ?? Infinity, (used.get(orgId) ?? unruled).revision);
