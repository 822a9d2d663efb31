import type { DirectoryEntry } from '#contracts';
import { Roster } from '#domain';
import { DirectoryEntries } from '#messaging';

/** The directory in memory, with the roster of each organisation. */
export class DirectoryCopy extends DirectoryEntries {
  private readonly rosters = new Map<string, Roster>();

  override take(entry: DirectoryEntry): boolean {
    const isNews = super.take(entry);
    if (isNews) this.rosters.delete(entry.orgId);
    return isNews;
  }

  roster(orgId: string): Roster {
    const known = this.rosters.get(orgId);
    if (known) return known;
    const roster = new Roster(this.of(orgId));
    this.rosters.set(orgId, roster);
    return roster;
  }
}
