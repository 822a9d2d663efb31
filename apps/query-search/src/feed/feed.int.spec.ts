import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Followed, Principal } from '#contracts';
import { ada, agent, grace } from '../../../../libs/contracts/testing/builders.js';
import { assertionOf, Running } from '../../testing/running.js';
import { recordOf, Story } from '../../testing/stories.js';
import { rowId } from '../ticket-view.projection.js';

let one: Running;
let other: Running;
beforeAll(async () => {
  one = await Running.start();
  other = await Running.start(one.database);
});
afterAll(async () => {
  await other.stop({ keep: true });
  await one.stop();
});

const fresh = () => `org-${randomUUID().slice(0, 8)}`;
const of = (orgId: string, who: Principal = ada): Principal => ({ ...who, orgId });
const told = (orgId: string) => new Story({ orgId }).create({ title: 'Fire', assistantId: 'billing-bot' }).comment('water').comment('secret', 'note').move('pending');

async function feed(orgId: string, { from = other, after = '0', limit = 100 } = {}) {
  const { status, body } = await from.get(of(orgId), `/events?after=${after}&limit=${limit}`);
  expect(status).toBe(200);
  return { ids: (body.items as { id: string }[]).map(({ id }) => id), next: body.nextAfter as string };
}
async function follow(orgId: string, query: string, who: Principal = ada) {
  const response = await fetch(`${one.url}/internal/feed?${query}`, { headers: { authorization: `Bearer ${await assertionOf(of(orgId, who))}` } });
  return { status: response.status, body: (await response.json()) as Followed & { type: string } };
}

describe('the feed of an organisation', () => {
  it('has each event once, however often its record comes, and at other offsets', async () => {
    const org = fresh();
    const story = told(org);
    await one.project(...story.events.slice(0, 2));
    await one.project(...story.events);
    await other.project(...story.events);
    const records = story.events.map((event) => recordOf(event));
    await Promise.all([one.projectRecords(...records), other.projectRecords(...records)]);
    expect((await feed(org)).ids).toEqual([1, 2, 3, 4].map((version) => `${story.id}:${version}`));
  });

  it('ends before an event that its reader has not come to, and goes on when it has', async () => {
    const org = fresh();
    const story = told(org);
    await one.project(...story.events);
    const rows = one.db.collection<{ _id: string }>('timeline');
    const row = await rows.findOneAndDelete({ _id: rowId(org, story.id, 3) });
    const before = await feed(org);
    expect(before.ids).toEqual([1, 2].map((version) => `${story.id}:${version}`));
    await rows.insertOne(row!);
    expect((await feed(org, { after: before.next })).ids).toEqual([3, 4].map((version) => `${story.id}:${version}`));
  });

  it('has an event that comes late, and one once that was given up on and came again', async () => {
    const org = fresh();
    const [first, ...rest] = told(org).events;
    await one.project(first!);
    await one.project(...rest.slice(1));
    await one.project(rest[0]!);
    expect((await feed(org)).ids.map((id) => Number(id.split(':')[1]))).toEqual([1, 3, 4, 2]);

    const story = new Story({ orgId: org }).create({ title: 'Smoke' }).comment('given up on');
    await one.project(...story.events);
    await one.db.collection<{ _id: string }>('tickets').updateOne({ _id: `${org}/${story.id}` }, { $set: { version: 1 } }); // as if it had not been written
    await one.project(story.events[1]!);
    expect((await feed(org)).ids.slice(4)).toEqual([1, 2].map((version) => `${story.id}:${version}`));
  });

  it('is read in pages that end where they get too large', async () => {
    const org = fresh();
    const story = new Story({ orgId: org }).create({ title: 'Long' });
    for (let i = 0; i < 30; i++) story.comment('x'.repeat(40_000));
    await one.project(...story.events);
    const first = await feed(org);
    expect(first.ids.length).toBeLessThan(20);
    expect([...first.ids, ...(await feed(org, { after: first.next })).ids, ...(await feed(org, { after: (await feed(org, { after: first.next })).next })).ids].map((id) => Number(id.split(':')[1]))).toEqual(story.events.map(({ version }) => version));
  });

  it('tells where to go on also when there is nothing', async () => {
    const org = fresh();
    const { ids, next } = await feed(org);
    expect([ids, (await feed(org, { after: next })).next]).toEqual([[], next]);
  });

  it('is no member’s, no agent’s and no other organisation’s', async () => {
    const [org, twin] = [fresh(), fresh()];
    await one.project(...told(org).events, ...told(twin).events);
    for (const who of [grace, agent('billing-bot', 'tickets:read', 'notes:read')]) {
      expect((await one.get(of(org, who), '/events')).status).toBe(403);
      expect((await follow(org, 'after=0', who)).status).toBe(403);
      expect((await follow(org, '', who)).status).toBe(403);
    }
    const { next } = await feed(twin);
    expect((await one.get(of(org), `/events?after=${next}`)).body.type).toBe('/problems/invalid-cursor');
    expect(await follow(org, `after=${next}`)).toMatchObject({ status: 422, body: { type: '/problems/invalid-cursor' } });
  });
});

describe('a gateway that follows a feed', () => {
  it('begins where it ends, and hears of what comes as soon as it has come, with what it is judged by', async () => {
    const org = fresh();
    const story = told(org);
    await one.project(story.events[0]!);
    const { body: end } = await follow(org, '');
    expect(end.items).toEqual([]);
    const startedAt = performance.now();
    const waitMs = 15_000;
    const waiting = follow(org, `after=${end.next}&waitMs=${waitMs}`);
    await one.project(...story.events.slice(1));
    const { body } = await waiting;
    // eslint-disable-next-line deskstream/specs-measure-no-haste -- who is not told at once is told when the wait is over
    expect(performance.now() - startedAt).toBeLessThan(waitMs);
    expect(body.items.map(({ version, isNote }) => [version, isNote])).toEqual([[2, false], [3, true], [4, false]]);
    expect(body.items[0]!.sight).toEqual({ assistantId: 'billing-bot', assignee: null, createdBy: { type: 'member', id: 'ada' } });
    expect(JSON.parse(body.items[0]!.text)).toMatchObject({ id: `${story.id}:2`, type: 'comment-added', data: { comment: { body: 'water' } } });
    expect(body.next).toBe(body.items.at(-1)!.place);
  });

  it('hears of what another process has added', async () => {
    const org = fresh();
    const { body: end } = await follow(org, '');
    const waiting = follow(org, `after=${end.next}&waitMs=15000`);
    await other.project(...told(org).events);
    expect((await waiting).body.items).toHaveLength(4);
  });

  it('is refused a place of long ago where it says that it must be recent', async () => {
    const org = fresh();
    await one.project(...told(org).events.slice(0, 1));
    expect((await follow(org, 'after=0&isRecent=true')).status).toBe(200);
    await one.db.collection<{ _id: string }>('feed').updateOne({ _id: `${org}/000000000000001` }, { $set: { at: new Date(Date.now() - 90_000_000) } });
    expect(await follow(org, 'after=0&isRecent=true')).toMatchObject({ status: 422, body: { type: '/problems/invalid-cursor' } });
    const { body: end } = await follow(org, '');
    expect((await follow(org, `after=${end.next}&isRecent=true`)).status).toBe(200);
    expect((await follow(org, 'after=0')).status).toBe(200);
  });

  it('is answered in time when nothing comes', async () => {
    const org = fresh();
    const { body } = await follow(org, 'after=0&waitMs=300');
    expect(body.items).toEqual([]);
  });
});
