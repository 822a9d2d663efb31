import type { AssignmentRule } from '#contracts';
import type { People } from '../directory/directory.store.js';
import { keyOf, wantedBy, type Person, type Team } from './choice.policy.js';
import { absence } from './working-hours.js';

/** Whom these rules could choose, as they are at a moment. Who is not in the directory is not in it. */
export function teamOf(rules: readonly AssignmentRule[], people: People, { at, loads }: { at: number; loads: ReadonlyMap<string, number> }): Team {
  const wanted = new Map(rules.flatMap(wantedBy).map((who) => [keyOf(who), who]));
  return new Map([...wanted].flatMap(([key, { type, id }]) => personOf(people, { type, id, at, load: loads.get(key) ?? 0 }).map((person) => [key, person] as const)));
}

function personOf({ members, assistants }: People, { type, id, at, load }: { type: 'member' | 'agent'; id: string; at: number; load: number }): Person[] {
  if (type === 'agent') {
    const assistant = assistants.get(id);
    return assistant ? [{ name: assistant.name, absence: undefined, capacity: null, load }] : [];
  }
  const member = members.get(id);
  return member ? [{ name: member.name, absence: absence(member.availability, at), capacity: member.availability?.capacity ?? null, load }] : [];
}
