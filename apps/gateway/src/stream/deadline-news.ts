import { LRUCache } from 'lru-cache';
import type { DeadlineNews, DeadlineTold, Principal } from '#contracts';
import { sees, sightOf } from '#domain';
import type { FollowedEvent } from './org-feed.js';

/** Tickets of an organisation of which it is remembered what was told last. */
const mostRemembered = 5_000;
/** Tickets that are asked about at a time; of more, who cannot be told at once reads them. */
const mostAsked = 1_000;

type Sight = DeadlineNews['sight'];

/** A ticket as it is now: what decides who sees it. */
export interface SeenNow {
  version: number;
  sight: Sight;
}

/** Asks what decides who sees a ticket now; undefined where nobody does, or where nobody can tell. */
export type Look = (ticketId: string) => Promise<SeenNow | undefined>;

/** Somebody who listens, as they are let in now. */
export interface Listening {
  readonly principal: Principal;
  tellBeside(words: Buffer): void;
}

/**
 * What an organisation's listeners hear of deadlines: of each ticket those who see it now, and nothing older after something newer. Who may see it is known by its
 * events as far as they have come since somebody began to listen, and is asked otherwise: a message may have been long on its way.
 */
export class DeadlineFeed {
  private readonly sights = new LRUCache<string, SeenNow>({ max: mostRemembered });
  private readonly revisions = new LRUCache<string, number>({ max: mostRemembered });
  private readonly asked = new Map<string, Promise<boolean>>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly look: Look) {}

  /** Events of the organisation, as its listeners hear of them. */
  note(events: readonly FollowedEvent[]): void {
    for (const { ticketId, version, sight } of events) this.learn(ticketId, { version, sight: sight as Sight });
  }

  /** Tells those who see the ticket, unless it comes late or again. Resolves when all who are to hear of it have. */
  async tell(news: DeadlineNews, listeners: ReadonlySet<Listening>): Promise<void> {
    if (!this.isNew(news)) return;
    const words = Buffer.from(`data: ${JSON.stringify(toldOf(news))}\n\n`);
    const [sure, unsure] = this.hearers(news, listeners);
    for (const listener of sure) listener.tellBeside(words);
    if (unsure.length === 0 || !(await this.ask(news.ticketId))) return;
    for (const listener of unsure) if (listeners.has(listener) && this.hears(listener, news)) listener.tellBeside(words);
  }

  private isNew({ ticketId, revision }: DeadlineNews): boolean {
    if ((this.revisions.get(ticketId) ?? 0) >= revision) return false;
    this.revisions.set(ticketId, revision);
    return true;
  }

  /** Who sees the ticket, and who did when the message was made. */
  private hearers(news: DeadlineNews, listeners: ReadonlySet<Listening>): [sure: Listening[], unsure: Listening[]] {
    const isKnown = this.sights.has(news.ticketId);
    const isSure = ({ principal }: Listening) => isKnown || sightOf(principal).all;
    const seeing = [...listeners].filter((listener) => this.hears(listener, news));
    return [seeing.filter(isSure), seeing.filter((listener) => !isSure(listener))];
  }

  private hears({ principal }: Listening, news: DeadlineNews): boolean {
    return sees(principal, this.sightNow(news) as never);
  }

  private sightNow({ ticketId, version, sight }: DeadlineNews): Sight {
    const known = this.sights.get(ticketId);
    return known !== undefined && known.version > version ? known.sight : sight;
  }

  /** One after the other: reading tickets is for those who ask for them. Messages of a ticket wait for the same answer, and go on in their order. */
  private ask(ticketId: string): Promise<boolean> {
    const asked = this.asked.get(ticketId);
    if (asked !== undefined) return asked;
    if (this.asked.size >= mostAsked) return Promise.resolve(false);
    const answer = this.last.then(() => this.learnOf(ticketId));
    this.asked.set(ticketId, answer);
    this.last = answer;
    return answer;
  }

  private async learnOf(ticketId: string): Promise<boolean> {
    const seen = await this.look(ticketId).catch(() => undefined);
    if (seen !== undefined) this.learn(ticketId, seen);
    this.asked.delete(ticketId);
    return seen !== undefined;
  }

  private learn(ticketId: string, seen: SeenNow): void {
    if ((this.sights.get(ticketId)?.version ?? 0) < seen.version) this.sights.set(ticketId, seen);
  }
}

function toldOf(news: DeadlineNews): DeadlineTold {
  const { ticketId, version, type, at, deadlines } = news;
  const short = type.slice('ticket.'.length, -'.v1'.length) as DeadlineTold['type'];
  if (news.type === 'ticket.deadlines-changed.v1') return { ticketId, version, type: short, at, deadlines };
  const { kind, dueAt } = news.deadline;
  return { ticketId, version, type: short, at, deadline: { kind, dueAt }, deadlines };
}
