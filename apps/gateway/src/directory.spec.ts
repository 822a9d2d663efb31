import { describe, expect, it } from '@jest/globals';
import type { DirectoryEntry } from '#contracts';
import { Directory } from './directory.js';

const member = (id: string): DirectoryEntry => ({ orgId: 'acme', kind: 'member', id, revision: 1, deleted: false, value: { id, name: id.toUpperCase(), email: `${id}@acme.example`, role: 'member' } });

describe('the directory', () => {
  const opened = (read: (orgId: string) => Promise<DirectoryEntry[]>) => {
    const clock = { ms: 0 };
    return { clock, directory: new Directory({ read, departures: async () => new Map() }, () => clock.ms) };
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

  it('is read again at once where something was changed; what was read before is not kept', async () => {
    const answers: ((entries: DirectoryEntry[]) => void)[] = [];
    const { directory } = opened(() => new Promise((resolve) => answers.push(resolve)));
    const before = directory.roster('acme');
    directory.renew('acme');
    const after = directory.roster('acme');
    answers[1]!([member('new')]);
    expect((await after).members[0]?.id).toBe('new');
    answers[0]!([member('old')]);
    expect((await before).members[0]?.id).toBe('old');
    expect(directory.roster('acme')).toBe(await after);
    directory.renew('acme');
    expect(directory.roster('acme')).toBeInstanceOf(Promise);
  });
});
