import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { openDatabase, StoreFault, type Database } from '#persistence';
import { Courier } from './courier.js';
import { Deliveries } from './deliveries.store.js';
import { NotBegun, type Channel, type Claim, type Delivery, type SendOutcome, type Verdict } from './delivery.js';
import { leaseMs, Targets } from './targets.store.js';

const uri = process.env['MONGODB_URI'] ?? '';
let store: Database;
let running: Courier[] = [];

beforeAll(async () => {
  store = openDatabase({ uri, database: `spec_deliveries_${randomUUID().slice(0, 8)}` });
  const targets = new Targets(store);
  await targets.prepare();
  await new Deliveries(store, targets).prepare();
});
afterEach(async () => {
  await Promise.all(running.map((courier) => courier.beforeApplicationShutdown()));
  running = [];
  // What a test has left due would be taken in the place of what the next one means.
  for (const name of ['targets', 'deliveries']) await store.db.collection(name).deleteMany({});
});
afterAll(async () => {
  await store.db.dropDatabase();
  await store.close();
});

const delivered: SendOutcome = { state: 'delivered', detail: '200' };
const failed: SendOutcome = { state: 'failed', detail: '500' };

/** The other side: remembers what it was sent, and answers as it is told. */
class Outside implements Channel {
  readonly sent: string[] = [];
  readonly settled: Delivery[] = [];
  readonly judged: ({ target: string } & Verdict)[] = [];
  readonly pauses = [0.05, 0.05, 0.05];
  readonly parallel = 4;
  limitMs = 20_000;
  answer: (delivery: Delivery, signal: AbortSignal) => Promise<SendOutcome> = async () => delivered;
  settleTrouble: Error | undefined;
  refuses: (delivery: Delivery) => boolean = () => false;
  goneAt: () => Date | undefined = () => new Date();

  constructor(readonly name = randomUUID().slice(0, 8)) {}

  async send(delivery: Delivery, signal: AbortSignal) {
    this.sent.push(delivery._id);
    return this.answer(delivery, signal);
  }

  async settle(ended: readonly Delivery[]) {
    if (this.settleTrouble) throw this.settleTrouble;
    if (ended.some(this.refuses)) throw new Error('it cannot be read');
    this.settled.push(...ended);
  }

  async judge(target: string, verdict: Verdict) {
    this.judged.push({ target, ...verdict });
    return verdict.isGone ? this.goneAt() : undefined;
  }

  claim(target: string, queue: string, seq: number): Claim {
    return { id: `${this.name}/${target}/${queue}/${seq}`, orgId: 'acme', target: `${this.name}:${target}`, queue, seq, content: '{}', about: {} };
  }
}

/** One instance of the service. */
function instance(...channels: Channel[]) {
  const targets = new Targets(store);
  const deliveries = new Deliveries(store, targets);
  const courier = new Courier(targets, deliveries, channels);
  running.push(courier);
  return { targets, deliveries, courier, start: () => courier.onApplicationBootstrap() };
}

const stored = (id: string) => store.db.collection<Delivery>('deliveries').findOne({ _id: id });
const until = (isTrue: () => boolean | Promise<boolean>, what: string) => eventually(async () => isTrue(), what);

describe('what is claimed', () => {
  it('is sent once however often it is claimed, in order per queue, and told', async () => {
    const outside = new Outside();
    const { deliveries, start } = instance(outside);
    const claims = [3, 1, 2].map((seq) => outside.claim('a', 'ticket', seq));
    await deliveries.claim([...claims, ...claims]);
    start();
    await until(() => outside.settled.length === 3, 'all are told');
    await deliveries.claim(claims);
    await deliveries.claim([outside.claim('a', 'other', 1)]);
    await until(() => outside.settled.length === 4, 'the next is told');
    expect(outside.sent).toEqual([...[1, 2, 3].map((seq) => outside.claim('a', 'ticket', seq).id), outside.claim('a', 'other', 1).id]);
    expect(await stored(outside.sent[0]!)).toMatchObject({ state: 'delivered', tries: 1, attempts: [{ isDelivered: true, detail: '200' }] });
  });

  it('keeps its order where one fails: the next of its queue waits, other queues do not', async () => {
    const outside = new Outside();
    let failures = 2;
    outside.answer = async ({ queue, seq }) => (queue === 'bad' && seq === 1 && failures-- > 0 ? failed : delivered);
    const { deliveries, start } = instance(outside);
    start();
    await deliveries.claim([outside.claim('a', 'bad', 1), outside.claim('a', 'good', 1)]);
    await until(() => outside.sent.length >= 2, 'the first try is made');
    await deliveries.claim([outside.claim('a', 'bad', 2), outside.claim('a', 'good', 2)]);
    await until(() => outside.settled.length === 4, 'all are told');
    const bad = outside.sent.filter((id) => id.includes('/bad/')).map((id) => id.slice(-1));
    expect(bad).toEqual(['1', '1', '1', '2']);
    expect(await stored(outside.claim('a', 'bad', 1).id)).toMatchObject({ state: 'delivered', tries: 3 });
  });

  it('has failed after its last try, which lets the next of its queue go', async () => {
    const outside = new Outside();
    outside.answer = async ({ seq }) => (seq === 1 ? failed : delivered);
    const { deliveries, start } = instance(outside);
    await deliveries.claim([outside.claim('a', 'q', 1), outside.claim('a', 'q', 2)]);
    start();
    await until(() => outside.settled.length === 2, 'both came to their end');
    expect(outside.settled.map(({ state, tries }) => [state, tries])).toEqual([['failed', 4], ['delivered', 1]]);
    expect(await stored(outside.claim('a', 'q', 1).id)).toMatchObject({ state: 'failed', dueAt: null, attempts: [{ detail: '500' }, {}, {}, {}] });
  });

  it('is not tried again where it was refused, and not at all where nobody wants anything any more', async () => {
    const outside = new Outside();
    outside.answer = async ({ target, queue }) => (target.endsWith(':gone') ? { state: 'gone', detail: '410' } : { state: 'refused', detail: `no ${queue}` });
    const { deliveries, start } = instance(outside);
    await deliveries.claim([outside.claim('a', 'q', 1), outside.claim('gone', 'q', 1), outside.claim('gone', 'q', 2)]);
    start();
    await until(() => outside.judged.length === 2, 'both are judged');
    expect(outside.sent).toHaveLength(2);
    expect(outside.judged.find(({ isGone }) => isGone)?.target).toBe(`${outside.name}:gone`);
    await until(async () => (await stored(outside.claim('gone', 'q', 2).id))!.state === 'dropped', 'the rest is dropped');
  });

  it('is told to whoever has taken the place of one that was gone, though it was claimed before or amid that', async () => {
    const outside = new Outside();
    const { deliveries, start } = instance(outside);
    outside.answer = async ({ target, seq }) => (seq === 1 ? { state: 'gone', detail: '410', as: target } : delivered);
    let asked = 0;
    outside.goneAt = () => (asked++ === 0 ? undefined : new Date(0));
    await deliveries.claim([1, 2, 3].map((seq) => outside.claim('changed', 'q', seq)));
    await deliveries.claim([1, 2].map((seq) => outside.claim('later', 'q', seq)));
    start();
    await until(() => outside.settled.length === 5, 'all came to their end');
    expect(outside.judged.filter(({ isGone }) => isGone).map(({ as }) => as)).toEqual(expect.arrayContaining([`${outside.name}:changed`, `${outside.name}:later`]));
    expect(outside.settled.filter(({ state }) => state === 'delivered').map(({ _id }) => _id).sort()).toEqual([outside.claim('changed', 'q', 2).id, outside.claim('changed', 'q', 3).id, outside.claim('later', 'q', 2).id]);
  });

  it('is dropped, alone, where there is nothing to be told any more', async () => {
    const outside = new Outside();
    outside.answer = async ({ seq }) => (seq === 1 ? { state: 'moot', detail: 'nobody wants it' } : delivered);
    const { deliveries, start } = instance(outside);
    await deliveries.claim([outside.claim('a', 'q', 1), outside.claim('a', 'q', 2)]);
    start();
    await until(() => outside.settled.length === 2, 'both came to their end');
    expect(outside.settled.map(({ state, tries }) => [state, tries])).toEqual([['dropped', 1], ['delivered', 1]]);
  });

  it('says nothing of a target whom there was nothing to tell', async () => {
    const outside = new Outside();
    outside.answer = async ({ target }) => (target.endsWith(':moot') ? { state: 'moot', detail: 'nobody wants it' } : delivered);
    const { deliveries, start } = instance(outside);
    await deliveries.claim([outside.claim('moot', 'q', 1), outside.claim('asked', 'q', 1)]);
    start();
    await until(() => outside.settled.length === 2 && outside.judged.length > 0, 'both came to their end');
    await running[0]!.beforeApplicationShutdown();
    expect(outside.judged.map(({ target }) => target)).toEqual([`${outside.name}:asked`]);
  });

  it('is sent again when somebody asks for that, under its id', async () => {
    const outside = new Outside();
    const { deliveries, start } = instance(outside);
    start();
    const claim = outside.claim('a', 'q', 1);
    await deliveries.claim([claim]);
    await until(() => outside.settled.length === 1, 'it is told');
    expect([await deliveries.again('globex', claim.target, claim.id), await deliveries.again('acme', claim.target, claim.id)]).toEqual([false, true]);
    await until(() => outside.settled.length === 2, 'it is told again');
    expect(outside.sent).toEqual([claim.id, claim.id]);
    expect((await deliveries.list('acme', claim.target, { limit: 10 })).map(({ attempts }) => attempts.length)).toEqual([2]);
    expect(await deliveries.list('globex', claim.target, { limit: 10 })).toEqual([]);
  });

  it('is sent no sooner than it is wanted', async () => {
    const outside = new Outside();
    const { deliveries, start } = instance(outside);
    const notBefore = new Date(Date.now() + 700);
    await deliveries.claim([{ ...outside.claim('a', 'later', 1), notBefore }, outside.claim('a', 'now', 1)]);
    start();
    await until(() => outside.settled.length === 2, 'both are told');
    const later = outside.settled.find(({ queue }) => queue === 'later')!;
    expect(later.attempts[0]!.at.getTime()).toBeGreaterThanOrEqual(notBefore.getTime());
  });
});

describe('order', () => {
  it('holds while more is claimed than one bulk takes, for a target that is worked for at that moment', async () => {
    const outside = new Outside();
    const { deliveries, start } = instance(outside);
    start();
    for (let round = 0; round < 5; round += 1) await deliveries.claim(Array.from({ length: 240 }, (_, i) => outside.claim('a', `q${i % 4}`, round * 240 + i)).reverse());
    await until(() => outside.settled.length === 1_200, 'all are told');
    for (let q = 0; q < 4; q += 1) {
      const seqs = outside.sent.filter((id) => id.includes(`/q${q}/`)).map((id) => Number(id.split('/').at(-1)));
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    }
  });

  it('waits for nobody who has come to an end: what was put off behind a head goes when that was sent by hand', async () => {
    const outside = new Outside();
    (outside as { pauses: readonly number[] }).pauses = [3_600];
    let isWell = false;
    outside.answer = async () => (isWell ? delivered : failed);
    const { deliveries, start } = instance(outside);
    await deliveries.claim([outside.claim('a', 'q', 1), outside.claim('a', 'q', 2)]);
    start();
    await until(async () => (await stored(outside.claim('a', 'q', 2).id))!.dueAt!.getTime() > Date.now() + 60_000, 'the second is put off');
    isWell = true;
    await deliveries.again('acme', outside.claim('a', 'q', 1).target, outside.claim('a', 'q', 1).id);
    await until(() => outside.settled.length === 2, 'both are told');
  });
});

describe('asking anew', () => {
  it('while a try is under way is not ended by that try', async () => {
    const outside = new Outside();
    const { deliveries } = instance(outside);
    const claim = outside.claim('a', 'q', 1);
    await deliveries.claim([claim]);
    const underWay = (await deliveries.due(claim.target, 10))[0]!;
    await deliveries.sendAnew({ _id: claim.id, orgId: 'acme', target: claim.target }, { content: 'new', request: 'r1' });
    await deliveries.note([{ delivery: underWay, attempt: { at: new Date(), ms: 1, isDelivered: true, detail: 'to the old address' }, state: 'delivered', dueAt: null }]);
    expect(await stored(claim.id)).toMatchObject({ state: 'waiting', content: 'new', tries: 0 });
  });
});

describe('what is due', () => {
  it('is read as far as it is not too much at once, in order, and at least one of it', async () => {
    const outside = new Outside();
    const { deliveries, start } = instance(outside);
    const claims = Array.from({ length: 12 }, (_, i) => ({ ...outside.claim('a', 'q', i), content: 'x'.repeat(i === 11 ? 5_000_000 : 1_000_000) }));
    await deliveries.claim(claims);
    const first = await deliveries.due(claims[0]!.target, 100);
    expect(first.map(({ seq, content }) => [seq, content.length])).toEqual([0, 1, 2, 3].map((seq) => [seq, 1_000_000]));
    start();
    await until(() => outside.settled.length === 12, 'all are sent');
    expect(outside.sent).toEqual(claims.map(({ id }) => id));
  });

  it('and cannot be begun with is no try, and is begun with later', async () => {
    const outside = new Outside();
    let room = 0;
    outside.answer = async () => ((room += 1) <= 3 ? Promise.reject(new NotBegun()) : delivered);
    const { deliveries, start } = instance(outside);
    const claims = [outside.claim('a', 'q', 1), outside.claim('a', 'q', 2)];
    await deliveries.claim(claims);
    start();
    await until(() => outside.settled.length === 2, 'both are sent');
    expect(outside.settled.map(({ _id, tries, attempts }) => [_id, tries, attempts.length])).toEqual(claims.map(({ id }) => [id, 1, 1]));
    expect(outside.sent.slice(0, 4)).toEqual(Array(4).fill(claims[0]!.id));
  });
});

describe('trouble', () => {
  it('of targets that answer slowly leaves room for all others', async () => {
    const outside = new Outside();
    const slow = new Set<string>();
    let most = 0;
    outside.answer = async ({ target }) => {
      if (!target.includes('slow')) return delivered;
      // Those that are tried for the first time are not known to be slow, and may have all the room there is.
      if (outside.judged.some((one) => one.target === target)) slow.add(target);
      most = Math.max(most, slow.size);
      await sleep(2_300); // eslint-disable-line deskstream/specs-never-sleep -- it is slow
      slow.delete(target);
      return delivered;
    };
    const { deliveries, start } = instance(outside);
    await deliveries.claim(Array.from({ length: 55 }, (_, i) => Array.from({ length: 3 }, (__, n) => outside.claim(`slow-${i}`, 'q', n))).flat());
    start();
    await until(() => new Set(outside.judged.map(({ target }) => target)).size >= 48, 'they have been found slow');
    await deliveries.claim(Array.from({ length: 200 }, (_, i) => outside.claim('sound', `q${i}`, 1)));
    await until(() => outside.settled.filter(({ target }) => target.endsWith(':sound')).length === 200, 'the sound one has everything');
    expect(most).toBeLessThanOrEqual(12);
  });

  it('with one delivery that nobody can be told of holds up no other', async () => {
    const outside = new Outside();
    const { deliveries, start } = instance(outside);
    outside.refuses = ({ queue }) => queue === 'bad';
    await deliveries.claim([outside.claim('a', 'bad', 1), outside.claim('a', 'good', 1), outside.claim('a', 'good', 2)]);
    start();
    await until(() => outside.settled.length === 2, 'the others are told');
    await until(async () => (await stored(outside.claim('a', 'bad', 1).id))!.dueAt === null, 'there is nothing left to do for it');
  });

  it('that lasts too long ends what waits behind it untried', async () => {
    const outside = new Outside();
    const { deliveries, start } = instance(outside);
    const claim = outside.claim('a', 'q', 1);
    await deliveries.claim([claim]);
    await store.db.collection('deliveries').updateOne({ _id: claim.id as never }, { $set: { askedAt: new Date(Date.now() - 7_200_000) } });
    start();
    await until(() => outside.settled.length === 1, 'it is told');
    expect([outside.sent, outside.settled[0]]).toMatchObject([[], { state: 'failed', attempts: [{ detail: 'It waited for too long.' }] }]);
  });

  it('of targets that hang delays no other, and one that does not answer is asked by one try at a time', async () => {
    const outside = new Outside();
    const hanging: string[] = [];
    const most = { ofOne: 0, ofAll: 0 };
    outside.answer = async ({ target }, signal) => {
      if (!target.includes('hangs')) return delivered;
      hanging.push(target);
      const known = hanging.filter((one) => outside.judged.some((judged) => judged.target === one));
      most.ofAll = Math.max(most.ofAll, known.length);
      if (known.includes(target)) most.ofOne = Math.max(most.ofOne, known.filter((one) => one === target).length);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      hanging.splice(hanging.indexOf(target), 1);
      throw new Error('no answer in time');
    };
    outside.limitMs = 1_000;
    const { deliveries, start } = instance(outside);
    const dead = Array.from({ length: 60 }, (_, i) => Array.from({ length: 10 }, (_, q) => outside.claim(`hangs-${i}`, `q${q}`, 1)));
    await deliveries.claim(dead.flat());
    start();
    await until(() => new Set(outside.judged.map(({ target }) => target)).size === 60, 'all that hang have been tried');
    await deliveries.claim(Array.from({ length: 300 }, (_, i) => outside.claim('sound', `q${i}`, 1)));
    await until(() => outside.settled.length === 300, 'the sound one has everything');
    await until(() => most.ofOne > 0, 'one that hung is asked again');
    expect(most.ofOne).toBe(1);
    expect(most.ofAll).toBeLessThanOrEqual(12);
  });

  it('of telling how it ended does not send it again', async () => {
    const outside = new Outside();
    outside.settleTrouble = new StoreFault(new Error('not now'));
    const { deliveries, start } = instance(outside);
    await deliveries.claim([outside.claim('a', 'q', 1)]);
    start();
    await until(async () => (await stored(outside.claim('a', 'q', 1).id))?.state === 'delivered', 'it is stored');
    outside.settleTrouble = undefined;
    await until(() => outside.settled.length === 1, 'it is told');
    expect(outside.sent).toHaveLength(1);
  });

  it('of an instance that dies with a target in hand: another goes on after the lease', async () => {
    const outside = new Outside();
    const { targets, deliveries, start } = instance(outside);
    await deliveries.claim([outside.claim('a', 'q', 1)]);
    const takenAt = Date.now();
    const dead = await targets.take({ sound: true });
    expect(dead?.target).toBe(`${outside.name}:a`);
    start();
    await until(() => outside.settled.length === 1, 'it is told');
    expect(Date.now() - takenAt).toBeGreaterThan(leaseMs - 1_000);
    await targets.renew([dead!]);
    expect(dead!.until).toBe(0);
  });

  it('of an instance that was paused: what it did meanwhile changes nothing', async () => {
    const outside = new Outside();
    const { targets, deliveries } = instance(outside);
    const claim = outside.claim('a', 'q', 1);
    await deliveries.claim([claim]);
    const paused = (await deliveries.due(claim.target, 10))[0]!;
    const attempt = { at: new Date(), ms: 1, isDelivered: true, detail: 'mine' };
    await deliveries.note([{ delivery: paused, attempt, state: 'delivered', dueAt: null }]);
    await deliveries.note([{ delivery: paused, attempt: { ...attempt, isDelivered: false, detail: 'late' }, state: 'failed', dueAt: null }]);
    expect(await stored(claim.id)).toMatchObject({ state: 'delivered', tries: 1, attempts: [{ detail: 'mine' }] });
    const held = await targets.take({ sound: true });
    await deliveries.claim([outside.claim('a', 'q', 2)]);
    await targets.finish(held!, { dueAt: null, strikes: 0, isSlow: false, restsUntil: null });
    expect((await targets.take({ sound: true }))?.target).toBe(claim.target);
  });
});

it('targets have their turns in the order in which they were woken first, and those that are woken while they have theirs come last', async () => {
  const own = openDatabase({ uri, database: `spec_targets_${randomUUID().slice(0, 8)}` });
  const targets = new Targets(own);
  const taken = async () => (await targets.take({ sound: true }))!;
  const done = { dueAt: null, strikes: 0, isSlow: false, restsUntil: null };
  for (const target of ['x:a', 'x:b', 'x:c', 'x:a', 'x:b', 'x:a']) {
    await targets.wake(new Set([target]));
    const wokenAt = Date.now();
    await until(() => Date.now() > wokenAt, 'the next is woken later');
  }
  const first = await taken();
  await targets.wake(new Set(['x:a']));
  await targets.finish(first, done);
  const rest = [await taken(), await taken(), await taken()];
  expect([first, ...rest].map(({ target }) => target)).toEqual(['x:a', 'x:b', 'x:c', 'x:a']);
  await Promise.all(rest.map((one) => targets.finish(one, done)));
  expect(await targets.take({ sound: true })).toBeUndefined();
  await own.db.dropDatabase();
  await own.close();
});

it('two instances share the work, and nothing is sent twice', async () => {
  const outside = new Outside();
  const [one, other] = [instance(outside), instance(outside)];
  outside.answer = async () => {
    await sleep(2); // eslint-disable-line deskstream/specs-never-sleep -- as somebody far away answers
    return delivered;
  };
  one.start();
  other.start();
  const claims = Array.from({ length: 600 }, (_, i) => outside.claim(`t${i % 6}`, `q${i % 30}`, i));
  // What happened to a ticket is claimed in its order; a second time where its partition has come to another instance.
  await one.deliveries.claim(claims.slice(0, 400));
  await other.deliveries.claim(claims.slice(200));
  await until(() => outside.settled.length === 600, 'all are told');
  expect(new Set(outside.sent).size).toBe(outside.sent.length);
  for (let q = 0; q < 30; q += 1) {
    const seqs = outside.sent.filter((id) => id.includes(`/q${q}/`)).map((id) => Number(id.split('/').at(-1)));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  }
});
