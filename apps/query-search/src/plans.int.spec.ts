import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ListQuery, sorts, type Principal } from '#contracts';
import { ada, agent } from '../../../libs/contracts/testing/builders.js';
import { Running } from '../testing/running.js';
import { planSteps } from '../testing/plan-steps.js';
import { newsRecordOf, newYear, Story } from '../testing/stories.js';
import { collectionsOf } from './collections.js';
import { conditionsOf, dueIn, viewBase, type Condition } from './list-conditions.js';
import { behind, orders, positionOf } from './list-order.js';
import { queryOf, waysOf, type Plan, type Query } from './list-plan.js';
import { entryConditions } from './search/search-plan.js';
import { asked } from './search/words.js';
import { currentShape, shapeWithWork } from './shape.js';

const collections = collectionsOf(1);
/** Queries that are explained at once. */
const atOnce = 8;

let service: Running;
beforeAll(async () => {
  service = await Running.start();
  const stories = Array.from({ length: 300 }, (_, i) => new Story({ number: i + 1, at: newYear + i * 60_000 }).create({ title: `Printer ${i % 7} on fire`, tags: [`tag-${i % 3}`], assistantId: i % 2 ? 'billing-bot' : 'tech-bot' }));
  await service.project(...stories.flatMap(({ events }) => events));
  const due = stories.filter((_, i) => i % 3 === 0);
  await service.hear(...due.map(({ orgId, id }, i) => newsRecordOf(orgId, id, [{ kind: 'resolution', dueAt: new Date(newYear + i * 60_000).toISOString(), state: i % 2 ? 'running' : 'missed' }])));
});
afterAll(() => service.stop());

const stepsOf = async (collection: string, { filter, hint }: Plan, sort?: Query['sort']) => {
  const found = service.db.collection<{ _id: string }>(collection).find(filter, { hint });
  return planSteps(await (sort ? found.sort(new Map(orders[sort].fields)) : found).limit(26).explain('queryPlanner'));
};

const filters: Record<string, string>[] = [
  {}, { status: 'open' }, { status: 'open,pending' }, { priority: 'urgent' }, { assignee: 'me' }, { assignee: 'none,grace' }, { assistantId: 'billing-bot' }, { tag: 'tag-1' },
  { requester: 'bob@example.com' }, { createdFrom: '2026-01-01', createdTo: '2026-02-01' }, { updatedFrom: '2026-01-01' }, { status: 'open', priority: 'urgent' },
  { priority: 'high,urgent' }, { priority: 'urgent', createdTo: '2026-02-01' }, { status: 'open', createdFrom: '2026-01-01', createdTo: '2026-02-01' }, { assistantId: 'billing-bot', status: 'open' }, { assignee: 'me', status: 'open,pending' }, { tag: 'tag-1', updatedTo: '2026-02-01' }, { deadline: 'missed' }, { deadline: 'running,missed' }, { deadline: 'missed', assignee: 'me' },
];
const someday = { createdAt: new Date(newYear + 3_600_000), updatedAt: new Date(newYear + 3_600_000), priority: 1, number: 60, dueAt: new Date(newYear + 3_600_000), _id: 'acme/7' };
const people: Record<string, Principal> = { 'an administrator': ada, 'an agent who may not read notes': agent('billing-bot', 'tickets:read') };
/** Of views with and without keys of the work there is. */
const shapes = [currentShape, shapeWithWork - 1];
const searches = ['fire', 'printer on 3'];
/** What the last word begins: nobody knows; many words, of which some are frequent; and some words. */
const vocabularies = [{}, { common: { frequent: 'fire', isMost: false } }, { beginnings: ['fire', 'fires', 'fired', 'fireman'] }];

interface Asked {
  /** None where it is only counted. */
  sort?: Query['sort'];
  plan: Plan;
  /** Then what it gathers has been counted first, and is 10,000 at most. */
  maySort: boolean;
}

/** Every plan that may be run for these conditions, from the start and from a place in the middle. */
const asksOf = (base: object, conditions: readonly Condition[], among: readonly Query['sort'][]): Asked[] =>
  among.flatMap((sort) =>
    [undefined, behind(sort, positionOf(sort, someday))].flatMap((from) => {
      const { walk, led } = queryOf({ base, sort, conditions, from });
      const ways = (led?.ways ?? []).map((plan, i) => ({ sort, plan, maySort: i === frequentWays }));
      return [{ sort, plan: walk, maySort: false }, ...(led ? [{ sort, plan: led, maySort: !led.isOrdered }, { plan: led.all, maySort: false }] : []), ...ways, ...(led?.some ? [{ sort, plan: led.some, maySort: true }] : [])];
    }),
  );

/** Of the values that are looked up one by one, so many are frequent; the others are rare, and their tickets sorted. */
const frequentWays = 2;

/** The same conditions, each of those with an index leading once. */
const ledByEach = (conditions: readonly Condition[]) =>
  conditions.filter(({ lead }) => lead).map((leader) => conditions.map((one) => (one.lead ? { ...one, lead: { ...divided(one.lead), size: one === leader ? 1_000 : 2_000 } } : one)));

const divided = (lead: NonNullable<Condition['lead']>) => (lead.anyOf ? { ...lead, ways: waysOf(lead.anyOf, lead.anyOf.values.map((_, i) => (i < frequentWays ? 5_000 : 1))) } : lead);

const withoutQ = (filter: Record<string, string>) => {
  const { q: _q, ...parsed } = ListQuery.parse(filter);
  return parsed;
};
const early: Record<string, string>[] = [{}, { tag: 'tag-1' }, { assignee: 'none,grace' }, { createdFrom: '2026-01-01', createdTo: '2026-02-01' }];

describe('what the store is asked', () => {
  it.each(Object.keys(people))('for a list of %s uses the index named, scans no collection, and sorts nothing but what was counted before', async (who) => {
    const all = filters.flatMap((filter) => shapes.map((shape) => conditionsOf(people[who]!, withoutQ(filter), shape)));
    const sorted = filters.flatMap((filter) => sorts.flatMap((sort) => shapes.flatMap((shape) => asksOf(viewBase(ada), conditionsOf(people[who]!, { ...withoutQ(filter), ...dueIn(sort) }, shape), [sort]))));
    const asks = [...sorted, ...all.flatMap(ledByEach).flatMap((conditions) => asksOf(viewBase(ada), conditions, ['-createdAt']))];
    await expectAllGood(collections.views, asks);
  });

  it.each(Object.keys(people))('for a search of %s does, too', async (who) => {
    const questions = searches.flatMap((q) => vocabularies.map((known) => ({ ...asked(q)!, ...known })));
    const conditions = questions.flatMap((search) => early.map((filter) => entryConditions(people[who]!, withoutQ(filter), search)));
    await expectAllGood(collections.search, conditions.flatMap(ledByEach).flatMap((one) => asksOf({ orgId: 'acme' }, one, ['-createdAt', 'createdAt'])));
  });

  /** Each once. */
  async function expectAllGood(collection: string, asks: readonly Asked[]) {
    const text = (_: string, value: unknown) => (value instanceof RegExp ? value.source : value);
    const distinct = [...new Map(asks.map((ask) => [JSON.stringify([ask.plan, ask.sort], text), ask])).values()];
    for (let at = 0; at < distinct.length; at += atOnce) await Promise.all(distinct.slice(at, at + atOnce).map((ask) => expectGood(collection, ask)));
  }

  async function expectGood(collection: string, { plan, sort, maySort }: Asked) {
    const { steps, scans, sorts: sorted, indexes } = await stepsOf(collection, plan, sort);
    expect(steps.length).toBeGreaterThan(0);
    expect({ plan, scans, sorted: maySort ? [] : sorted, uses: indexes.includes(plan.hint) }).toEqual({ plan, scans: [], sorted: [], uses: true });
  }

  it('is seen to scan and to sort where it does', async () => {
    const wrong = { filter: { nothing: 1 }, hint: '_id_' as never };
    expect((await stepsOf(collections.views, wrong, '-updatedAt')).sorts).not.toEqual([]);
    const { steps, scans } = planSteps(await service.db.collection(collections.views).find({ nothing: 1 }).explain('queryPlanner'));
    expect([...scans, ...steps.filter((step) => /bitmap/i.test(step))]).not.toEqual([]);
  });
});
