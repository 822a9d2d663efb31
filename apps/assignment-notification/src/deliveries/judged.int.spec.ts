import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Actor, DeadlineNews, Principal } from '#contracts';
import type { IncomingRecord } from '#messaging';
import { eventually as within } from '../../../../libs/servers/testing/eventually.js';
import { course } from '../../testing/course.js';
import { Receiver } from '../../testing/receiver.js';
import { assistant, deadlineRecord, eventRecord, member, Running } from '../../testing/running.js';
import { Deliveries } from './deliveries.store.js';

let running: Running;
let receiver: Receiver;

beforeAll(async () => {
  [running, receiver] = await Promise.all([Running.start(), Receiver.open()]);
});
afterAll(() => Promise.all([running?.stop(), receiver?.close()]));

const eventually = (attempt: () => Promise<unknown>) => within(attempt, String(attempt));
const person = (id: string): Actor & { type: 'member' } => ({ type: 'member', id, name: id });
const soon = (ms = 60_000) => new Date(Date.now() + ms);

/** Records as a partition has them. */
let partitions = 100_000;
const log = (records: readonly IncomingRecord[], { from = 0, partition = (partitions += 1), writtenAt = soon().getTime() } = {}) =>
  records.map((record, i) => ({ ...record, partition, offset: String(from + i), timestamp: String(writtenAt) }));

/** An organisation of ada, who administers, and grace, whom nobody tells anything yet; and a ticket of hers. */
async function organised() {
  const orgId = `org-${randomUUID().slice(0, 8)}`;
  await running.know(member(orgId, 'ada'), member(orgId, 'grace'), assistant(orgId, 'billing-bot', ['grace']));
  const ask = async (who: string, ...[method, path, body]: [string, string, object?]) => {
    const principal: Principal = { orgId, actor: person(who), access: { role: 'admin', assistantIds: [] } };
    const answer = await running.ask(principal, method, path, { body });
    expect(answer.status).toBeLessThan(300);
    return answer.body;
  };
  const want = (timing: 'never' | 'at-once') => {
    const choice = { inApp: timing, email: timing };
    return ask('grace', 'PUT', '/notification-preferences', { assigned: choice, mentioned: choice, 'requester-replied': choice, deadline: choice, status: choice });
  };
  await want('never');
  const created = course(orgId).by(person('ada')).at(soon().toISOString()).created({ assistantId: 'billing-bot', createdBy: person('ada'), requester: { id: 'rita', name: 'Rita', email: 'rita@example.org' } });
  const story = created.assigned(person('grace')).commented('note', 'hidden').moved('pending').moved('resolved');
  return { orgId, story, ask, want, records: story.events.map(eventRecord) };
}
const claimed = (orgId: string) => running.db.collection('deliveries').countDocuments({ orgId });
const notices = (orgId: string) => running.db.collection('notices').countDocuments({ orgId });

describe('what was judged', () => {
  it('is not judged anew by settings of today where the group has lost its place; what comes behind it is', async () => {
    const { orgId, story, ask, want, records } = await organised();
    const webhook = await ask('ada', 'POST', '/webhooks', { name: 'One', url: receiver.url, types: ['status-changed'] });
    const partition = (partitions += 1);
    const all = log(records, { partition });
    await running.tellRecords(...all.slice(0, 2));
    await running.tellRecords(...all.slice(2));
    await eventually(async () => expect(receiver.ids).toEqual([`${story.id}:4`, `${story.id}:5`]));
    expect([await claimed(orgId), await notices(orgId)]).toEqual([2, 0]);

    await ask('ada', 'PUT', `/webhooks/${webhook.id}`, { name: 'One', url: receiver.url, notes: true });
    await ask('ada', 'PUT', '/assistants/billing-bot/requester-updates', { received: { enabled: true }, resolved: { enabled: true } });
    await want('at-once');
    const news = { type: 'ticket.deadline-missed.v1', orgId, ticketId: story.id, revision: 2, version: 5, at: soon().toISOString(), deadlines: [], sight: { assistantId: 'billing-bot', assignee: person('grace'), createdBy: person('ada') }, deadline: { kind: 'resolution', since: 1, dueAt: soon().toISOString() }, policy: { id: randomUUID(), name: 'p' } } as unknown as DeadlineNews;
    await running.tellRecords(...all);
    expect([await claimed(orgId), await notices(orgId)]).toEqual([2, 0]);

    const later = story.moved('open');
    await running.tellRecords(...all, ...log([eventRecord(later.events.at(-1)!)], { partition, from: records.length }));
    await eventually(async () => expect(receiver.ids.slice(2)).toEqual([`${story.id}:6`]));
    expect(await notices(orgId)).toBe(1);
    await running.tellDeadlineRecords(...log([deadlineRecord(news)]));
    expect(await notices(orgId)).toBe(2);
  });

  it('is not told of deadlines again either', async () => {
    const { orgId, story, want, records } = await organised();
    await running.tellRecords(...log(records));
    const news = (revision: number) => deadlineRecord({ type: 'ticket.deadline-missed.v1', orgId, ticketId: story.id, revision, version: 5, at: soon().toISOString(), deadlines: [], sight: { assistantId: 'billing-bot', assignee: person('grace'), createdBy: person('ada') }, deadline: { kind: 'resolution', since: revision, dueAt: soon().toISOString() }, policy: { id: randomUUID(), name: 'p' } } as unknown as DeadlineNews);
    const all = log([news(2), news(3)]);
    await running.tellDeadlineRecords(all[0]!);
    await want('at-once');
    await running.tellDeadlineRecords(...all);
    expect(await notices(orgId)).toBe(1);
  });

  it('is only what was stored: a round that failed comes again', async () => {
    const { orgId, ask, records } = await organised();
    await ask('ada', 'POST', '/webhooks', { name: 'One', url: receiver.url, enabled: false });
    await ask('ada', 'POST', '/webhooks', { name: 'Two', url: receiver.url });
    const all = log(records);
    const claiming = jest.spyOn(running.part(Deliveries), 'claim').mockRejectedValueOnce(new Error('not now'));
    await expect(running.tellRecords(...all)).rejects.toThrow('not now');
    claiming.mockRestore();
    await running.tellRecords(...all);
    expect(await claimed(orgId)).toBe(4);
  });

  it('is nothing that was given up: who stores that may die before, and finds it once more', async () => {
    const { orgId, ask, records } = await organised();
    await ask('ada', 'POST', '/webhooks', { name: 'One', url: receiver.url });
    const all = log([records[0]!, { ...records[1]!, value: null }, records[3]!]);
    for (let i = 0; i < 2; i += 1) expect(await running.tellRecords(...all)).toMatchObject([{ record: { offset: '1' }, reason: 'not-json' }]);
    await running.tellRecords(...log([records[4]!], { partition: all[0]!.partition, from: 3 }));
    expect(await running.tellRecords(...all)).toEqual([]);
    expect(await claimed(orgId)).toBe(3);
  });

  it('is nothing of a topic that was made anew, which begins at the same places', async () => {
    const { orgId, ask, records } = await organised();
    await ask('ada', 'POST', '/webhooks', { name: 'One', url: receiver.url });
    const partition = (partitions += 1);
    await running.tellRecords(...log(records.slice(0, 2), { partition, from: 500 }));
    const anew = log(records.slice(2), { partition, writtenAt: soon(120_000).getTime() });
    await running.tellRecords(anew[0]!);
    await running.tellRecords(...anew.slice(1));
    expect(await claimed(orgId)).toBe(4);
  });
});
