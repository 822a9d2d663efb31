import { directoryKey, type DirectoryEntry, type Producer } from '#contracts';
import { Fault } from './fault.js';

type ProducerEntry = Extract<DirectoryEntry, { kind: 'producer' }>;

/** What the directory said when it was read last may be believed for so long, ms: what is withdrawn bites within 5 s (contract section 6). */
const usableMs = 5_000;

/** The directory in memory: who is in which organisation, and what each lets outside systems do. Of a key the newest revision counts, whenever it came. */
export class DirectoryEntries {
  private readonly organisations = new Map<string, Map<string, DirectoryEntry>>();
  private readonly granted = new Map<string, ProducerEntry>();
  private readAt = -Infinity;

  constructor(private readonly now: () => number = Date.now) {}

  /** Whether all of it was read at least once. */
  get isComplete(): boolean {
    return this.readAt !== -Infinity;
  }

  /** Every system that some organisation lets do something, or did. */
  get systems(): readonly string[] {
    return [...new Set([...this.granted.values()].map(({ id }) => id))];
  }

  /** What organisations let systems do now. */
  get grants(): readonly ProducerEntry[] {
    return [...this.granted.values()].filter(({ deleted }) => !deleted);
  }

  /** Answers whether it is news. */
  take(entry: DirectoryEntry): boolean {
    const { orgId, revision } = entry;
    const entries = this.organisations.get(orgId) ?? new Map<string, DirectoryEntry>();
    const key = directoryKey(entry);
    if ((entries.get(key)?.revision ?? 0) >= revision) return false;
    this.organisations.set(orgId, entries.set(key, entry));
    if (entry.kind === 'producer') this.granted.set(key, entry);
    return true;
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
    const entry = this.granted.get(directoryKey({ orgId, kind: 'producer', id: system }));
    return entry === undefined || entry.deleted ? undefined : entry.value;
  }

  /** Whether an organisation has an assistant now. */
  hasAssistant(orgId: string, id: string): boolean {
    return this.organisations.get(orgId)?.get(directoryKey({ orgId, kind: 'assistant', id }))?.deleted === false;
  }

  /** What an organisation has now. */
  protected of(orgId: string): DirectoryEntry[] {
    return [...(this.organisations.get(orgId)?.values() ?? [])].filter(({ deleted }) => !deleted);
  }
}
