import { describe, expect, it } from '@jest/globals';
import { alwaysThere, type Availability } from '#contracts';
import { available, changed, created, left, put, removed, signedIn, without, type Judge, type Kept } from './directory.policy.js';
import type { Identity } from './token-verifier.js';

const grace: Identity = { orgId: 'acme', id: 'grace', name: 'Grace', email: 'grace@acme.example', role: 'member', issuedAt: 1_000, clientId: undefined };
const { id, name, email, role } = grace;
const member = { id, name, email, role };
const there = (changes: Partial<Kept> = {}): Kept => ({ revision: 3, deleted: false, value: member, knownFrom: 1_000, ...changes });

/** What an entry is after an edit. */
function after(current: Kept | null, judge: Judge): Kept {
  const { set } = judge(current);
  return { ...(current ?? there({ revision: 0 })), ...set };
}

describe('a sign-in', () => {
  it('puts somebody down who is new', () => {
    expect(signedIn(grace)(null)).toEqual({ outcome: 'created', set: { deleted: false, value: member, knownFrom: 1_000 } });
  });

  it('changes nothing where it says nothing new', () => {
    expect(signedIn({ ...grace, issuedAt: 9_000 })(there())).toEqual({ outcome: 'done' });
  });

  it.each([{ name: 'Grace Hopper' }, { email: 'hopper@acme.example' }, { role: 'admin' as const }])('brings what is new: %j', (news) => {
    expect(after(there(), signedIn({ ...grace, ...news, issuedAt: 2_000 }))).toMatchObject({ value: { ...member, ...news }, knownFrom: 2_000 });
  });

  it('leaves alone what was said of when they work', () => {
    const availability: Availability = { ...alwaysThere, capacity: 3 };
    expect(after(there({ value: { ...member, availability } }), signedIn({ ...grace, name: 'G' })).value).toEqual({ ...member, name: 'G', availability });
  });

  it('that is older than the one they are known by says nothing', () => {
    expect(signedIn({ ...grace, name: 'Old', issuedAt: 999 })(there())).toEqual({ outcome: 'older' });
  });

  it('of before they were taken out does not bring them back; a new one does, as if they were new', () => {
    const out = after(there({ value: { ...member, availability: alwaysThere } }), left(5_000));
    expect(out).toMatchObject({ deleted: true, knownFrom: 5_000 });
    expect(signedIn({ ...grace, issuedAt: 4_999 })(out)).toEqual({ outcome: 'older' });
    expect(after(out, signedIn({ ...grace, issuedAt: 5_001 }))).toMatchObject({ deleted: false, value: member });
    expect(after(out, signedIn({ ...grace, issuedAt: 5_001 })).value).not.toHaveProperty('availability');
  });
});

describe('when somebody works', () => {
  const wanted: Availability = { ...alwaysThere, timeZone: 'Europe/Berlin', capacity: 5 };
  const limited = there({ value: { ...member, availability: { ...alwaysThere, capacity: 5 } } });

  it('is said by administrators as a whole', () => {
    expect(after(there(), available(wanted, { maySetCapacity: true })).value).toEqual({ ...member, availability: wanted });
  });

  it('is said by others as long as the capacity stays', () => {
    expect(available(wanted, { maySetCapacity: false })(limited).outcome).toBe('done');
    expect(available(wanted, { maySetCapacity: false })(there())).toEqual({ outcome: 'forbidden' });
    expect(available({ ...wanted, capacity: null }, { maySetCapacity: false })(limited)).toEqual({ outcome: 'forbidden' });
    expect(available({ ...wanted, capacity: null }, { maySetCapacity: false })(there()).outcome).toBe('done');
  });

  it('cannot be said of somebody who is not there', () => {
    for (const current of [null, there({ deleted: true })]) expect(available(wanted, { maySetCapacity: true })(current)).toEqual({ outcome: 'absent' });
  });
});

describe('an entry', () => {
  const value = { id: 'bot', name: 'Bot', memberIds: ['ada', 'grace'] };

  it('is made where there is none, or was one', () => {
    for (const judge of [created(value), put(value)]) {
      for (const current of [null, there({ deleted: true })]) expect(judge(current)).toMatchObject({ outcome: 'created', set: { deleted: false, value } });
    }
    expect(created(value)(there())).toEqual({ outcome: 'exists' });
    expect(put(value)(there())).toEqual({ outcome: 'done', set: { value } });
  });

  it('is changed at the revision that was asked for only', () => {
    for (const judge of [changed(value, { revision: 2 }), put(value, { isThere: true, revision: 2 }), removed({ revision: 2 }), left(1, { revision: 2 })]) {
      expect(judge(there())).toEqual({ outcome: 'stale' });
      expect(judge(there({ revision: 2 })).outcome).toBe('done');
      expect(judge(null)).toEqual({ outcome: 'absent' });
    }
  });

  it('loses the member who is taken off it, and no other', () => {
    expect(after(there({ value }), without('ada')).value).toEqual({ ...value, memberIds: ['grace'] });
  });
});
