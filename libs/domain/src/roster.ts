import type { Actor, Assignee, AssigneeInput, Assistant, DirectoryEntry, KnownMember } from '#contracts';

/** The people and assistants of one organisation at one moment. */
export class Roster {
  readonly members: readonly KnownMember[];
  readonly assistants: readonly Assistant[];
  private readonly assistantIds = new Map<string, string[]>();
  private readonly membersById: ReadonlyMap<string, KnownMember>;

  /**
   * @param entries of the organisation, without deleted ones
   * @param departures when members were taken out who are not back, ms since the epoch
   */
  constructor(
    entries: readonly DirectoryEntry[],
    private readonly departures: ReadonlyMap<string, number> = new Map(),
  ) {
    this.members = entries.flatMap((entry) => (entry.kind === 'member' ? [entry.value] : [])).sort(byId);
    this.assistants = entries.flatMap((entry) => (entry.kind === 'assistant' ? [entry.value] : [])).sort(byId);
    this.membersById = new Map(this.members.map((member) => [member.id, member]));
    for (const { id, memberIds } of this.assistants) for (const member of new Set(memberIds)) this.remember(member, id);
  }

  /** The assistants that somebody works for, sorted; none for people who are not in the directory. */
  assistantIdsOf(memberId: string): string[] {
    return this.assistantIds.get(memberId) ?? [];
  }

  /** Somebody of the organisation; undefined for nobody. */
  member(id: string): KnownMember | undefined {
    return this.membersById.get(id);
  }

  /** Whether somebody was taken out, and has not signed in since. @param signedInAt ms since the epoch */
  hasLeft(id: string, signedInAt: number): boolean {
    return signedInAt < (this.departures.get(id) ?? 0);
  }

  /** Somebody by type and id with their name. Undefined for nobody. The caller is there even without an entry: the token says so. */
  assignee({ type, id }: AssigneeInput, caller: Actor): Assignee | undefined {
    const found = type === 'member' ? this.member(id) : this.assistants.find((assistant) => assistant.id === id);
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

const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
