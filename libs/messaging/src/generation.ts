/** What stands behind the names of groups, collections and the like that belong to a generation; nothing for the first one. */
export const suffixOf = (generation: number): string => (generation === 1 ? '' : `.g${generation}`);

/** The group that reads for a generation of what a service makes of a topic: `query-search.ticket-view`, later `query-search.ticket-view.g2`. */
export const groupOf = (group: string, generation = 1): string => `${group}${suffixOf(generation)}`;

/** The generation that a group reads for; undefined when it is none of `group`'s. */
export function generationOf(groupId: string, group: string): number | undefined {
  if (groupId === group) return 1;
  const [, generation] = groupId.startsWith(`${group}.`) ? (/^\.g(\d{1,9})$/.exec(groupId.slice(group.length)) ?? []) : [];
  return generation === undefined ? undefined : Number(generation);
}
