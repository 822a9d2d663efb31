import { describe, expect, it } from '@jest/globals';
import type { DirectoryEntry } from '#contracts';
import { Directory, Roster } from './directory.js';

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

  it('finds assignees by type and id, and the caller without an entry', () => {
    expect(roster.assignee({ type: 'member', id: 'grace' }, caller)).toEqual({ type: 'member', id: 'grace', name: 'GRACE' });
    expect(roster.assignee({ type: 'agent', id: 'a' }, caller)).toEqual({ type: 'agent', id: 'a', name: 'The a' });
    expect(roster.assignee({ type: 'member', id: 'new' }, caller)).toEqual({ type: 'member', id: 'new', name: 'New' });
    for (const wanted of [{ type: 'agent', id: 'grace' }, { type: 'member', id: 'a' }, { type: 'agent', id: 'new' }, { type: 'member', id: 'constructor' }] as const) {
      expect(roster.assignee(wanted, caller)).toBeUndefined();
    }
  });
});

describe('the directory', () => {
  const opened = (read: (orgId: string) => Promise<DirectoryEntry[]>) => {
    const clock = { ms: 0 };
    return { clock, directory: new Directory({ read }, () => clock.ms) };
  };

  it('reads an organisation once for all who ask at once, and again after two seconds', async () => {
    let reads = 0;
    const { directory, clock } = opened(async () => [member(`m${(reads += 1)}`)]);
    const [one, other] = await Promise.all([directory.roster('acme'), directory.roster('acme')]);
    expect([one, reads]).toEqual([other, 1]);
    expect(directory.roster('acme')).toBe(one);
    clock.ms += 2_000;
    expect((await directory.roster('acme')).members[0]?.id).toBe('m2');
  });

  it('serves on for some seconds without its store, and not longer than a change may take', async () => {
    let isUp = true;
    const { directory, clock } = opened(async () => (isUp ? [member('grace')] : Promise.reject(new Error('down'))));
    const before = await directory.roster('acme');
    isUp = false;
    clock.ms += 4_000;
    expect(await directory.roster('acme')).toBe(before);
    clock.ms += 1_000;
    await expect(directory.roster('acme')).rejects.toMatchObject({ problem: { status: 503 } });
    await expect(directory.roster('globex')).rejects.toMatchObject({ problem: { status: 503 } });
  });
});
