import { directoryKey, type DirectoryEntry, type Producer } from '#contracts';
import { Roster } from '#domain';
import { Fault } from '#messaging';

/** What the directory said when it was read last may be believed for so long, ms: what is withdrawn bites within 5 s (contract section 6). */
const usableMs = 5_000;

/** The directory in memory: who is in which organisation, and what each lets outside systems do. Of a key the newest revision counts, whenever it came. */
export class DirectoryCopy {
  private readonly organisations = new Map<string, Map<string, DirectoryEntry>>();
  private readonly rosters = new Map<string, Roster>();
  private readonly named = new Set<string>();
  private readAt = -Infinity;

  constructor(private readonly now: () => number = Date.now) {}

  /** Every system that some organisation lets do something, or did. */
  get systems(): readonly string[] {
    return [...this.named];
  }

  /** Whether all of it was read at least once. */
  get isComplete(): boolean {
    return this.readAt !== -Infinity;
  }

  take(entry: DirectoryEntry): void {
    const { orgId, kind, id, revision } = entry;
    const entries = this.organisations.get(orgId) ?? new Map<string, DirectoryEntry>();
    const key = directoryKey(entry);
    if ((entries.get(key)?.revision ?? 0) >= revision) return;
    this.organisations.set(orgId, entries.set(key, entry));
    this.rosters.delete(orgId);
    if (kind === 'producer') this.named.add(id);
  }

  /** Tells that everything was taken that lay on the topic just now. */
  readToEnd(): void {
    this.readAt = this.now();
  }

  /** @throws Fault when too much may have changed since it was read */
  demandFresh(): void {
    if (this.now() - this.readAt > usableMs) throw new Fault('the directory was not read for some seconds');
  }

  /** What an organisation lets a system do now. */
  grant(orgId: string, system: string): Producer | undefined {
    const entry = this.organisations.get(orgId)?.get(directoryKey({ orgId, kind: 'producer', id: system }));
    return entry?.kind === 'producer' && !entry.deleted ? entry.value : undefined;
  }

  roster(orgId: string): Roster {
    const known = this.rosters.get(orgId);
    if (known) return known;
    const roster = new Roster([...(this.organisations.get(orgId)?.values() ?? [])].filter(({ deleted }) => !deleted));
    this.rosters.set(orgId, roster);
    return roster;
  }
}
