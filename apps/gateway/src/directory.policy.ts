import type { Assistant, Availability, DirectoryEntry, NewProducer, Producer } from '#contracts';
import type { Identity } from './token-verifier.js';

/** What is kept of an entry beside what everybody is told. */
export interface Kept {
  revision: number;
  deleted: boolean;
  value: DirectoryEntry['value'];
  /** A file set it that answers for what it set, and for nothing else. */
  isSeeded?: boolean;
  /** Of a member: when the sign-in was made that they are known by, or when they were taken out, ms. An older sign-in says nothing new. */
  knownFrom?: number;
}

/**
 * What comes of an edit. `created` and `done` leave the entry as it was wanted; `exists`, `absent`, `stale` (another revision by now), `forbidden` and
 * `older` (something newer is known) change nothing.
 */
export type Outcome = 'created' | 'done' | 'exists' | 'absent' | 'stale' | 'forbidden' | 'older';

export interface Change {
  outcome: Outcome;
  set?: Partial<Omit<Kept, 'revision'>>;
  /** What was settled here and is told beside what was asked for: kept for repeats of the request. */
  told?: string | undefined;
}

/** Decides what an edit makes of an entry; of null where there never was one. */
export type Judge = (current: Kept | null) => Change;

/** What a write demands of the entry it is decided on. */
export interface Demand {
  /** It must be there. */
  isThere?: boolean;
  /** And at this revision. */
  revision?: number | undefined;
}

/** Adds an entry; one that is there already stays as it is. */
export const created = (value: DirectoryEntry['value']): Judge => (current) =>
  isThere(current) ? { outcome: 'exists' } : { outcome: 'created', set: { deleted: false, value, isSeeded: false } };

/** Gives an entry that is there another value. */
export const changed = (value: DirectoryEntry['value'], demand: Demand = {}): Judge => present(demand, () => ({ outcome: 'done', set: { value } }));

/** Makes an entry what it should be, whether it is there or not. */
export const put = (value: DirectoryEntry['value'], demand: Demand = {}): Judge => (current) =>
  isThere(current) || demand.isThere ? changed(value, demand)(current) : created(value)(current);

/**
 * Settles when an outside system begins to be told what happens, where nobody said it: when that was asked for first. It tells that time.
 * @param judge decides what becomes of the entry that is meant
 */
export const begun = (wanted: NewProducer, now: Date, judge: (value: Producer) => Judge): Judge => (current) => {
  const value = beginning(wanted, current, now);
  return { ...judge(value)(current), told: value.outbound?.from };
};

function beginning({ outbound, ...grant }: NewProducer, current: Kept | null, now: Date): Producer {
  if (outbound === undefined) return grant;
  const before = isThere(current) ? (current.value as Producer).outbound?.from : undefined;
  return { ...grant, outbound: { ...outbound, from: outbound.from ?? before ?? now.toISOString() } };
}

/** Makes an entry what a file says, whatever it was. */
export const filed = (value: DirectoryEntry['value']): Judge => () => ({ outcome: 'done', set: { deleted: false, value, isSeeded: true } });

export const removed = (demand: Demand = {}): Judge => present(demand, () => ({ outcome: 'done', set: { deleted: true } }));

/** Takes a member out: who signed in before `at` (ms) stays out until they sign in anew. */
export const left = (at: number, demand: Demand = {}): Judge => present(demand, () => ({ outcome: 'done', set: { deleted: true, knownFrom: at } }));

/** Puts down what a sign-in says of a person. Of two sign-ins the newer one counts, whichever comes last; what is said of their availability stays. */
export const signedIn = ({ id, name, email, role, issuedAt }: Identity): Judge => (current) => {
  if (issuedAt < (current?.knownFrom ?? 0)) return { outcome: 'older' };
  const member = { id, name, email, role };
  if (!isThere(current)) return { outcome: 'created', set: { deleted: false, value: member, knownFrom: issuedAt } };
  const before = current.value as typeof member;
  if (isSamePerson(before, member)) return { outcome: 'done' };
  return { outcome: 'done', set: { value: { ...before, ...member }, knownFrom: issuedAt } };
};

/** Whether a member is what a sign-in says of them. */
export const isSamePerson = (one: Pick<Identity, 'name' | 'email' | 'role'>, other: Pick<Identity, 'name' | 'email' | 'role'>) =>
  one.name === other.name && one.email === other.email && one.role === other.role;

/** Sets when a member works. Who may not set how much they take must leave that as it is. */
export const available = (availability: Availability, { maySetCapacity, ...demand }: Demand & { maySetCapacity: boolean }): Judge =>
  present(demand, ({ value }) => {
    const before = (value as { availability?: Availability }).availability?.capacity ?? null;
    if (!maySetCapacity && before !== availability.capacity) return { outcome: 'forbidden' };
    return { outcome: 'done', set: { value: { ...(value as object), availability } as Kept['value'] } };
  });

/** Takes a person off an assistant. */
export const without = (memberId: string): Judge =>
  present({}, ({ value }) => ({ outcome: 'done', set: { value: { ...(value as Assistant), memberIds: (value as Assistant).memberIds.filter((id) => id !== memberId) } } }));

const isThere = (current: Kept | null): current is Kept => current?.deleted === false;

const present = ({ revision }: Demand, judge: (current: Kept) => Change): Judge => (current) => {
  if (!isThere(current)) return { outcome: 'absent' };
  return revision === undefined || revision === current.revision ? judge(current) : { outcome: 'stale' };
};
