import { describe, expect, it } from '@jest/globals';
import type { DirectoryEntry } from '#contracts';
import { Roster } from './index.js';

const member = (id: string): DirectoryEntry => ({ orgId: 'acme', kind: 'member', id, revision: 1, deleted: false, value: { id, name: id.toUpperCase(), email: `${id}@acme.example`, role: 'member' } });
const assistant = (id: string, memberIds: string[]): DirectoryEntry => ({ orgId: 'acme', kind: 'assistant', id, revision: 1, deleted: false, value: { id, name: `The ${id}`, memberIds } });
const caller = { type: 'member' as const, id: 'new', name: 'New' };

describe('a roster', () => {
  const roster = new Roster([member('linus'), assistant('b', ['grace', 'grace']), assistant('a', ['grace', 'linus']), member('grace')]);

  it('knows for which assistants somebody works, in one order', () => {
    expect(roster.assistantIdsOf('grace')).toEqual(['a', 'b']);
    expect(roster.assistantIdsOf('nobody')).toEqual([]);
  });

  it('lists people and assistants in order', () => {
    expect([roster.members.map(({ id }) => id), roster.assistants.map(({ id }) => id)]).toEqual([['grace', 'linus'], ['a', 'b']]);
  });

  it('knows its people by id', () => {
    expect(roster.member('grace')).toMatchObject({ id: 'grace', name: 'GRACE' });
    for (const id of ['a', 'nobody', 'constructor']) expect(roster.member(id)).toBeUndefined();
  });

  it('finds assignees by type and id, and the caller without an entry', () => {
    expect(roster.assignee({ type: 'member', id: 'grace' }, caller)).toEqual({ type: 'member', id: 'grace', name: 'GRACE' });
    expect(roster.assignee({ type: 'agent', id: 'a' }, caller)).toEqual({ type: 'agent', id: 'a', name: 'The a' });
    expect(roster.assignee({ type: 'member', id: 'new' }, caller)).toEqual({ type: 'member', id: 'new', name: 'New' });
    for (const wanted of [{ type: 'agent', id: 'grace' }, { type: 'member', id: 'a' }, { type: 'agent', id: 'new' }, { type: 'member', id: 'constructor' }] as const) {
      expect(roster.assignee(wanted, caller)).toBeUndefined();
    }
  });
});
