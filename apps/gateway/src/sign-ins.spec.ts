import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Roster } from '#domain';
import type { Judge } from './directory.policy.js';
import type { Edited, Named } from './directory.store.js';
import { SignIns } from './sign-ins.js';
import type { Identity } from './token-verifier.js';

const person = (id: string, changes: Partial<Identity> = {}): Identity => ({ orgId: 'acme', id, name: id, email: `${id}@acme.example`, role: 'member', issuedAt: 1_000, clientId: undefined, ...changes });
const nobody = new Roster([]);
const edited: Edited = { outcome: 'created', revision: 1, isSeeded: false, isRepeat: false, hash: '' };

const running: SignIns[] = [];
afterEach(async () => {
  jest.useRealTimers();
  for (const one of running.splice(0)) await one.stop();
});

/** Sign-ins over a store that notes what it is asked to edit, unless it is told to fail. */
function opened({ isStarted = true } = {}) {
  const state = { fate: (_: Named): Promise<void> => Promise.resolve() };
  const puts: [id: string, name: unknown][] = [];
  const renewed: string[] = [];
  const edit = async (named: Named, judge: Judge) => {
    await state.fate(named);
    puts.push([named.id, judge(null).set?.value?.name]);
    return edited;
  };
  const signIns = new SignIns({ edit }, { renew: (orgId) => void renewed.push(orgId) });
  running.push(signIns);
  if (isStarted) signIns.start();
  return { signIns, puts, renewed, state };
}

describe('people who sign in', () => {
  it('are put down, and the roster is read again', async () => {
    const { signIns, puts, renewed } = opened();
    signIns.note(person('eve'), nobody);
    await signIns.settled();
    expect([puts, renewed]).toEqual([[['eve', 'eve']], ['acme']]);
  });

  it('cost the store nothing when the roster knows them as they are', async () => {
    const { signIns, puts } = opened();
    const { id, name, email, role } = person('eve');
    const roster = new Roster([{ orgId: 'acme', kind: 'member', id, revision: 1, deleted: false, value: { id, name, email, role } }]);
    signIns.note(person('eve'), roster);
    signIns.note(person('eve', { role: 'admin' }), roster);
    await signIns.settled();
    expect(puts).toHaveLength(1);
  });

  it('are not waited for', () => {
    const { signIns, state } = opened();
    state.fate = () => new Promise(() => undefined);
    expect(signIns.note(person('eve'), nobody)).toBeUndefined();
    running.splice(0); // it would be waited for at the end
  });

  it('wait until the directory has its first content', async () => {
    const { signIns, puts } = opened({ isStarted: false });
    signIns.note(person('eve'), nobody);
    await signIns.settled();
    expect(puts).toEqual([]);
    signIns.start();
    await signIns.settled();
    expect(puts).toHaveLength(1);
  });

  it('are put down later when the store fails, and keep nobody else waiting', async () => {
    jest.useFakeTimers();
    const { signIns, puts, state } = opened();
    state.fate = ({ id }) => (id === 'eve' ? Promise.reject(new Error('down')) : Promise.resolve());
    for (const id of ['eve', 'bob']) signIns.note(person(id), nobody);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(puts).toEqual([['bob', 'bob']]);
    state.fate = () => Promise.resolve();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(puts).toEqual([['bob', 'bob'], ['eve', 'eve']]);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(puts).toHaveLength(2);
  });

  it('are put down as their newest sign-in says, when they wait', async () => {
    const { signIns, puts } = opened({ isStarted: false });
    for (const [name, issuedAt] of [['second', 2_000], ['first', 1_000]] as const) signIns.note(person('eve', { name, issuedAt }), nobody);
    signIns.start();
    await signIns.settled();
    expect(puts).toEqual([['eve', 'second']]);
  });

  it('are put down before the process ends', async () => {
    const { signIns, puts, state } = opened();
    state.fate = () => Promise.reject(new Error('down'));
    signIns.note(person('eve'), nobody);
    await signIns.settled();
    state.fate = () => Promise.resolve();
    await signIns.stop();
    expect(puts).toHaveLength(1);
  });
});
