import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Principal, TicketDeadline } from '#contracts';
import { ada, agent, grace, linus } from '../../../libs/contracts/testing/builders.js';
import { Running } from '../testing/running.js';
import { newsRecordOf, Story } from '../testing/stories.js';
import { ProjectionStore } from './projection.store.js';
import type { TicketView } from './ticket-view.projection.js';

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

const running: TicketDeadline = { kind: 'first-reply', dueAt: '2026-01-01T01:00:00.000Z', state: 'running' };
const missed: TicketDeadline = { ...running, state: 'missed' };
const met: TicketDeadline = { ...running, state: 'met' };
const view = (orgId: string, id: string) => one.db.collection<{ _id: string }>('tickets').findOne({ _id: `${orgId}/${id}` });
const fresh = () => `org-${randomUUID().slice(0, 8)}`;
const of = (orgId: string, who: Principal = ada): Principal => ({ ...who, orgId });
const told = async (orgId: string, id: string) => (await one.get(of(orgId), `/tickets/${id}`)).body.deadlines as TicketDeadline[];

describe('the deadlines of a ticket', () => {
  it('are shown as the newest message has them, whatever comes first, late or twice, and at which instance', async () => {
    const org = fresh();
    const story = new Story({ orgId: org }).create().comment('hm');
    const [first, second, third] = [[running], [missed], [met]].map((deadlines, i) => newsRecordOf(org, story.id, deadlines, { revision: i + 1 })) as [Parameters<Running['hear']>[0], Parameters<Running['hear']>[0], Parameters<Running['hear']>[0]];
    await one.hear(second);
    expect((await one.get(of(org), `/tickets/${story.id}`)).status).toBe(404);
    expect((await one.get(of(org), '/tickets?sort=deadline')).body).toMatchObject({ items: [], total: 0 });
    await Promise.all([one.project(story.events[0]!), other.hear(first), one.hear(second)]);
    expect(await told(org, story.id)).toEqual([missed]);
    await other.project(...story.events);
    expect(await told(org, story.id)).toEqual([missed]);
    expect((await one.get(of(org), '/tickets?deadline=missed&sort=deadline')).body).toMatchObject({ total: 1, items: [{ id: story.id, deadlines: [missed], version: 2 }] });
    await Promise.all([one.hear(third, first), other.hear(first, second)]);
    expect(await told(org, story.id)).toEqual([met]);
    expect((await one.get(of(org), '/tickets?sort=deadline')).body.total).toBe(0);
    expect(await view(org, story.id)).not.toMatchObject({ dueAt: expect.anything() });
  });

  it('are the same document whether they come before the events, between them or behind', async () => {
    const org = fresh();
    const stories = Array.from({ length: 3 }, () => new Story({ orgId: org, id: randomUUID() }).create().comment('hm').move('pending'));
    const news = (id: string) => [newsRecordOf(org, id, [running]), newsRecordOf(org, id, [missed], { revision: 2 })];
    const [before, amid, behind] = stories as [Story, Story, Story];
    await one.hear(...news(before.id));
    await one.project(...before.events);
    await one.project(amid.events[0]!);
    await one.hear(...news(amid.id));
    await one.project(...amid.events.slice(1));
    await one.project(...behind.events);
    await one.hear(...news(behind.id));
    const [first, ...others] = await Promise.all(stories.map(async ({ id }) => JSON.stringify(sorted((await view(org, id))!)).replaceAll(id, 'id')));
    expect(others).toEqual([first, first]);
    expect(await view(org, before.id)).toMatchObject({ version: 3, deadlinesRevision: 2, deadlineStates: ['missed'] });
  });

  it('are stored where the first event comes in between', async () => {
    const org = fresh();
    const story = new Story({ orgId: org }).create();
    const views = one.part(ProjectionStore)['views'];
    const write = views.bulkWrite.bind(views);
    const hindered = jest.spyOn(views, 'bulkWrite').mockImplementationOnce(async (writes) => {
      await other.project(...story.events);
      // As it is refused to who found no document, and would have added it.
      return write(writes.map((upsert) => ({ insertOne: { document: { _id: (upsert as { updateOne: { filter: { _id: string } } }).updateOne.filter._id } as TicketView } })), { ordered: false });
    });
    await one.hear(newsRecordOf(org, story.id, [running]));
    hindered.mockRestore();
    expect(await told(org, story.id)).toEqual([running]);
  });

  it('are left out where the ticket is told as it was', async () => {
    const org = fresh();
    const story = new Story({ orgId: org }).create().comment('hm');
    await one.project(...story.events);
    expect(await told(org, story.id)).toEqual([]);
    await one.hear(newsRecordOf(org, story.id, [running]));
    expect((await one.get(of(org), `/tickets/${story.id}?version=1`)).body).not.toHaveProperty('deadlines');
  });

  it('are nobody’s who does not see the ticket, nor its twin’s in another organisation', async () => {
    const [org, twin] = [fresh(), fresh()];
    const story = new Story({ orgId: org }).create({ assistantId: 'tech-bot' });
    await one.project(...story.events, ...new Story({ orgId: twin, id: story.id }).create({ assistantId: 'tech-bot' }).events);
    await one.hear(newsRecordOf(org, story.id, [missed]));
    expect(await told(twin, story.id)).toEqual([]);
    for (const query of ['deadline=missed', 'sort=deadline', 'sort=deadline&q=printer', 'deadline=missed&q=printer']) {
      expect((await one.get(of(org, linus), `/tickets?${query}`)).body.total).toBe(1);
      for (const who of [of(org, grace), of(org, agent('billing-bot', 'tickets:read')), of(twin)]) expect((await one.get(who, `/tickets?${query}`)).body).toMatchObject({ items: [], total: 0, nextCursor: null });
    }
    expect((await one.get(of(org, grace), '/tickets/counts?deadline=missed')).body.total).toBe(0);
    expect((await one.get(of(org, grace), `/tickets/${story.id}`)).status).toBe(404);
  });

  it('that cannot be read are set aside, what is not known is passed over', async () => {
    const org = fresh();
    const story = new Story({ orgId: org }).create();
    await one.project(...story.events);
    const good = newsRecordOf(org, story.id, [running]);
    const strange = { ...good, headers: { ...good.headers, ce_type: 'ticket.deadline-exploded.v1' } };
    const untimely = newsRecordOf(org, story.id, [{ ...running, dueAt: 'soon' }], { revision: 9 });
    const broken = [{ ...good, value: Buffer.from('{') }, { ...good, value: Buffer.from('{}') }, { ...good, key: Buffer.from(randomUUID()) }, { ...good, headers: { ...good.headers, ce_orgid: 'other' } }, untimely];
    const dead = await one.hear(...broken, strange, good);
    expect(dead.map(({ reason }) => reason)).toEqual(['not-json', 'schema-invalid', 'key-mismatch', 'organisation-mismatch', 'schema-invalid']);
    expect(await told(org, story.id)).toEqual([running]);
  });
});

const sorted = (document: object) => Object.fromEntries(Object.entries(document).sort(([a], [b]) => (a < b ? -1 : 1)));
