/** What stands behind the names of groups, collections and the like that belong to a generation; nothing for the first one. */
export const suffixOf = (generation: number): string => (generation === 1 ? '' : `.g${generation}`);

/** The group that reads for a generation of what a service makes of a topic: `query-search.ticket-view`, later `query-search.ticket-view.g2`. */
export const groupOf = (group: string, generation = 1): string => `${group}${suffixOf(generation)}`;
