import type { DirectoryEntry, Producer } from '#contracts';
import { DirectoryEntries } from '#messaging';

/** One organisation's events for one outside system, from some time on. Told from another time on they are another stream. */
export interface Stream {
  orgId: string;
  system: string;
  from: string;
}

/** Of the directory what says whom to tell of what. */
export class Registrations extends DirectoryEntries {
  override take(entry: DirectoryEntry): boolean {
    return entry.kind !== 'member' && super.take(entry);
  }

  /** Streams that are asked for. */
  get streams(): Stream[] {
    return this.grants.flatMap(({ orgId, id: system, value: { outbound } }) => (outbound ? [{ orgId, system, from: outbound.from }] : []));
  }

  /** What a stream's system may know now: rights for an assistant that is gone are none. Undefined where nobody asks for the stream any more. */
  behind({ orgId, system, from }: Stream): Producer | undefined {
    const grant = this.grant(orgId, system);
    if (grant?.outbound?.from !== from) return undefined;
    return { ...grant, assistantIds: grant.assistantIds.filter((id) => this.hasAssistant(orgId, id)) };
  }
}
