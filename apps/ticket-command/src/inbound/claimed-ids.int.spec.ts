import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestStore, openWatchedStore } from '../../../../libs/persistence/testing/test-store.js';
import { ClaimedIds, prepareClaims } from './claimed-ids.store.js';

const claimOf = (commandId: string = randomUUID()) => ({ commandId, ticketId: randomUUID() });

describe('ids of commands of outside systems', () => {
  const { store, another, database, close } = openTestStore('claimed_ids');
  const claims = new ClaimedIds(store, () => Date.parse('2026-01-01T12:00:00.000Z'));
  beforeAll(() => prepareClaims(store));
  afterAll(close);

  it('belong to the ticket that came first, in a round and ever after', async () => {
    const [first, fresh] = [claimOf(), claimOf()];
    expect(await claims.claim([first, claimOf(first.commandId)])).toEqual(new Map([[first.commandId, first.ticketId]]));
    const owners = await new ClaimedIds(another()).claim([claimOf(first.commandId), fresh, first]);
    expect(owners).toEqual(new Map([first, fresh].map(({ commandId, ticketId }) => [commandId, ticketId])));
  });

  it('belong to one ticket when two instances claim them at once', async () => {
    const [one, other] = [claims, new ClaimedIds(another())];
    const ids = Array.from({ length: 300 }, () => randomUUID());
    const [left, right] = await Promise.all([one.claim(ids.map((id) => claimOf(id))), other.claim([...ids].reverse().map((id) => claimOf(id)))]);
    expect(left.size).toBe(300);
    expect([...right].sort()).toEqual([...left].sort());
  });

  it('cost one round trip, two where some were claimed before, whatever the number', async () => {
    const watched = await openWatchedStore(database);
    const spied = new ClaimedIds(watched.store);
    const asked = Array.from({ length: 500 }, () => claimOf());
    await spied.claim(asked);
    expect(watched.seen()).toEqual(['insert']);
    expect((await spied.claim([...asked, claimOf()])).size).toBe(501);
    expect(watched.seen()).toEqual(['insert', 'find']);
    await watched.store.close();
  });

  it('are kept for 30 days', async () => {
    const claim = claimOf();
    await claims.claim([claim]);
    expect(await store.db.collection<{ _id: string }>('inbound_ids').findOne({ _id: claim.commandId })).toMatchObject({ expireAt: new Date('2026-01-31T12:00:00.000Z') });
    expect(await store.db.collection('inbound_ids').indexes()).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'expiry', expireAfterSeconds: 0 })]));
  });

  it('may be prepared again', () => prepareClaims(store));
});
