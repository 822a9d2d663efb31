import type { Actor, Assignee, AssigneeInput, Assistant, DirectoryEntry, Member } from '#contracts';
import type { DirectoryStore } from './directory.store.js';
import { unavailable } from './unavailable.js';

/** How old a roster may be before it is read again, and how old when it cannot be: a change bites within 5 s, ms. */
const freshMs = 2_000;
const usableMs = 4_500;
/** Organisations kept in memory. */
const maxRosters = 10_000;

/** The people and assistants of one organisation at one moment. */
export class Roster {
  readonly members: readonly Member[];
  readonly assistants: readonly Assistant[];
  private readonly assistantIds = new Map<string, string[]>();

  constructor(entries: readonly DirectoryEntry[]) {
    this.members = entries.flatMap((entry) => (entry.kind === 'member' ? [entry.value] : [])).sort(byId);
    this.assistants = entries.flatMap((entry) => (entry.kind === 'assistant' ? [entry.value] : [])).sort(byId);
    for (const { id, memberIds } of this.assistants) for (const member of new Set(memberIds)) this.remember(member, id);
  }

  /** The assistants that somebody works for, sorted; none for people who are not in the directory. */
  assistantIdsOf(memberId: string): string[] {
    return this.assistantIds.get(memberId) ?? [];
  }

  /** Somebody by type and id with their name. Undefined for nobody. The caller is there even without an entry: the token says so. */
  assignee({ type, id }: AssigneeInput, caller: Actor): Assignee | undefined {
    const found = (type === 'member' ? this.members : this.assistants).find((entry) => entry.id === id);
    if (found) return { type, id, name: found.name };
    if (caller.type === type && caller.id === id) return { type, id, name: caller.name };
    return undefined;
  }

  private remember(member: string, assistant: string) {
    const ids = this.assistantIds.get(member);
    if (ids) ids.push(assistant);
    else this.assistantIds.set(member, [assistant]);
  }
}

interface Kept {
  roster: Roster;
  readAt: number;
}

/** Rosters by organisation, at most two seconds old: every request asks for one. */
export class Directory {
  private readonly kept = new Map<string, Kept>();
  private readonly reading = new Map<string, Promise<Roster>>();

  constructor(
    private readonly store: Pick<DirectoryStore, 'read'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** An organisation's roster, at once when a fresh one is at hand. @throws ProblemError 503 (as a rejection) when the store cannot tell */
  roster(orgId: string): Roster | Promise<Roster> {
    const kept = this.kept.get(orgId);
    return kept !== undefined && this.now() - kept.readAt < freshMs ? kept.roster : this.read(orgId, kept);
  }

  private read(orgId: string, kept: Kept | undefined): Promise<Roster> {
    const under = this.reading.get(orgId);
    if (under) return under;
    const reading = this.load(orgId, kept).finally(() => this.reading.delete(orgId));
    this.reading.set(orgId, reading);
    return reading;
  }

  private async load(orgId: string, kept: Kept | undefined): Promise<Roster> {
    const readAt = this.now();
    try {
      const roster = new Roster(await this.store.read(orgId, ['member', 'assistant']));
      if (this.kept.size >= maxRosters) this.kept.clear();
      this.kept.set(orgId, { roster, readAt });
      return roster;
    } catch (cause) {
      if (kept !== undefined && this.now() - kept.readAt < usableMs) return kept.roster;
      throw unavailable('The directory cannot be read right now.', cause);
    }
  }
}

const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
