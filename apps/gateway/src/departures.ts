import { directoryKey, type DirectoryEntry } from '#contracts';
import { without } from './directory.policy.js';
import type { DirectoryStore, Named } from './directory.store.js';

/**
 * Takes a member who left off the assistants that they were on: nobody who comes back finds old rights. Does nothing for somebody who is there. It is done by
 * whoever takes them out, and before their deletion is published by whoever publishes it: a crash between the two leaves nothing behind. Throws `StoreFault`.
 */
export async function takeOffAssistants(store: DirectoryStore, { orgId, id }: Named): Promise<void> {
  const member = await store.find(directoryKey({ orgId, kind: 'member', id }));
  if (member === null || !member.deleted) return;
  for (const assistant of await store.assistantsOf(orgId, id)) await store.edit(assistant, without(id));
}

/** The same, for whoever publishes entries. */
export const settleDeparture = async (store: DirectoryStore, entry: DirectoryEntry): Promise<void> => {
  if (entry.kind === 'member' && entry.deleted) await takeOffAssistants(store, entry);
};
