import { describe, expect, it } from '@jest/globals';
import type { DirectoryEntry } from '#contracts';
import { DirectoryCopy } from './directory-copy.js';

const grantOf = (revision: number, { deleted = false, orgId = 'acme', id = 'erp' } = {}): DirectoryEntry => ({
  orgId,
  kind: 'producer',
  id,
  revision,
  deleted,
  value: { id, name: `revision ${revision}`, commands: ['create'], assistantIds: [] },
});
const member = (revision: number, deleted = false): DirectoryEntry => ({ orgId: 'acme', kind: 'member', id: 'erp', revision, deleted, value: { id: 'erp', name: `revision ${revision}`, email: '', role: 'member' } });

describe('the directory in memory', () => {
  it.each([[[1, 2, 3]], [[3, 2, 1]], [[2, 3, 1]]])('is at the newest revision of everything, whatever came when: %j', (order) => {
    const copy = new DirectoryCopy();
    for (const revision of order) for (const entry of [grantOf(revision), member(revision)]) copy.take(entry);
    expect(copy.grant('acme', 'erp')?.name).toBe('revision 3');
    expect(copy.roster('acme').members.map(({ name }) => name)).toEqual(['revision 3']);
  });

  it('knows nothing of what was deleted, even where an older revision comes late, and goes on to know the system', () => {
    const copy = new DirectoryCopy();
    for (const entry of [grantOf(1), member(1), grantOf(3, { deleted: true }), member(3, true), grantOf(2), member(2)]) copy.take(entry);
    expect([copy.grant('acme', 'erp'), copy.roster('acme').members, copy.systems]).toEqual([undefined, [], ['erp']]);
  });

  it('keeps organisations apart', () => {
    const copy = new DirectoryCopy();
    for (const entry of [grantOf(1), grantOf(1, { orgId: 'globex', id: 'crm' })]) copy.take(entry);
    expect([copy.grant('globex', 'erp'), copy.grant('acme', 'crm')]).toEqual([undefined, undefined]);
    expect(copy.systems).toEqual(['erp', 'crm']);
  });

  it('is not believed before it was read once, nor when it has not been read for five seconds', () => {
    let now = 0;
    const copy = new DirectoryCopy(() => now);
    expect(copy.isComplete).toBe(false);
    expect(() => copy.demandFresh()).toThrow(expect.objectContaining({ passes: true }));
    copy.readToEnd();
    now += 5_000;
    copy.demandFresh();
    now += 1;
    expect(() => copy.demandFresh()).toThrow(expect.objectContaining({ passes: true }));
  });
});
