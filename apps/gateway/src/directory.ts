import { Roster } from '#domain';
import type { DirectoryStore } from './directory.store.js';
import { unavailable } from './unavailable.js';

/** How old a roster may be before it is read again, and how old when it cannot be: a change bites within 5 s, ms. */
const freshMs = 2_000;
const usableMs = 4_500;
/** Organisations kept in memory. */
const maxRosters = 10_000;

interface Kept {
  roster: Roster;
  readAt: number;
}

/** Rosters by organisation, at most two seconds old: every request asks for one. */
export class Directory {
  private readonly kept = new Map<string, Kept>();
  private readonly reading = new Map<string, Promise<Roster>>();

  constructor(
    private readonly store: Pick<DirectoryStore, 'read' | 'departures'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** An organisation's roster, at once when a fresh one is at hand. @throws ProblemError 503 (as a rejection) when the store cannot tell */
  roster(orgId: string): Roster | Promise<Roster> {
    const kept = this.kept.get(orgId);
    return kept !== undefined && this.now() - kept.readAt < freshMs ? kept.roster : this.read(orgId, kept);
  }

  /** Lets the next who ask look again: something was changed here just now. */
  renew(orgId: string): void {
    const kept = this.kept.get(orgId);
    if (kept) kept.readAt = Math.min(kept.readAt, this.now() - freshMs);
    this.reading.delete(orgId);
  }

  private read(orgId: string, kept: Kept | undefined): Promise<Roster> {
    const under = this.reading.get(orgId);
    if (under) return under;
    const isNewest = () => this.reading.get(orgId) === reading;
    const reading: Promise<Roster> = this.load(orgId, kept, isNewest).finally(() => isNewest() && this.reading.delete(orgId));
    this.reading.set(orgId, reading);
    return reading;
  }

  /** What was read before a change is given to those who asked before it, and not kept. */
  private async load(orgId: string, kept: Kept | undefined, isNewest: () => boolean): Promise<Roster> {
    const readAt = this.now();
    try {
      const [entries, departures] = await Promise.all([this.store.read(orgId, ['member', 'assistant']), this.store.departures(orgId)]);
      const roster = new Roster(entries, departures);
      if (this.kept.size >= maxRosters) this.kept.clear();
      if (isNewest()) this.kept.set(orgId, { roster, readAt });
      return roster;
    } catch (cause) {
      if (kept !== undefined && this.now() - kept.readAt < usableMs) return kept.roster;
      throw unavailable('The directory cannot be read right now.', cause);
    }
  }
}
