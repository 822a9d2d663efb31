import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import type { Principal, Sort } from '#contracts';
import { ada, agent, grace } from '../../../libs/contracts/testing/builders.js';
import { Running } from '../testing/running.js';
import { planSteps } from '../testing/plan-steps.js';
import { newsRecordOf, newYear, Story } from '../testing/stories.js';
import { Recount } from './stats/recount.js';

type Command = Record<string, unknown>;

/** Searched with the usual limits, and as where every word is common. */
let services: Running[];
const commands = new Map<string, Command>();
const stories = Array.from({ length: 150 }, (_, i) =>
  new Story({ number: i + 1, at: newYear + i * 3_600_000 })
    .create({ title: `Printer ${i % 7} on fire`, tags: [`tag-${i % 3}`], assistantId: i % 2 ? 'billing-bot' : 'tech-bot', description: `no${i % 40}where nor${'abcdefghijklmnopqrstuvwxyzäöü'[i % 29]}s` })
    .comment('water')
    .say('hello')
    .comment('secret', 'note'),
);

beforeAll(async () => {
  const first = await Running.start(undefined, undefined, true);
  services = [first, await Running.start(first.database, { few: 0, narrow: 0, steps: [2, 5] }, true), await Running.start(first.database, { few: 0, narrow: 1_000, steps: [2, 5] }, true)];
  await first.project(...stories.flatMap(({ events }) => events));
  await first.hear(...stories.slice(0, 60).map(({ orgId, id }, i) => newsRecordOf(orgId, id, [{ kind: 'resolution', dueAt: new Date(newYear + i * 60_000).toISOString(), state: i % 2 ? 'running' : 'missed' }])));
  while (await first.part(Recount).next()) continue;
  for (const { db } of services) db.client.on('commandStarted', ({ command }: mongoose.mongo.CommandStartedEvent) => noted(command as Command));
});
afterAll(async () => {
  for (const service of services.slice(1)) await service.stop({ keep: true });
  await services[0]!.stop();
});

/** What was asked of the store, the same question with other values once; what consumers and workers do by themselves is not asked by anybody. */
function noted(command: Command) {
  const [name] = Object.keys(command);
  if (!['find', 'aggregate', 'count'].includes(name!) || /^(generation|stats_marks)/.test(String(command[name!]))) return;
  const text = JSON.stringify(command);
  if (!text.includes('"$in":[]')) commands.set(JSON.stringify(command, shape), command); // else there is nothing to look for
}
const shape = (key: string, value: unknown): unknown => (['lsid', '$clusterTime', 'maxTimeMS', 'limit', 'batchSize', 'skip'].includes(key) || typeof value === 'string' ? typeof value : Array.isArray(value) && value.length > 3 ? value.length : value);

const filters = ['', 'status=open', 'status=open,pending', 'priority=urgent', 'priority=high,normal', 'assignee=me', 'assignee=none,grace', 'assistantId=billing-bot', 'tag=tag-1', 'tag=tag-1,tag-2', 'requester=bob@example.com', 'createdFrom=2026-01-01&createdTo=2026-02-01', 'updatedFrom=2026-01-01', 'status=open&priority=urgent,normal', 'status=open&createdTo=2026-01-03', 'assistantId=billing-bot&status=open&updatedTo=2026-02-01', 'deadline=missed', 'deadline=missed,running&status=open'];
const questions = ['fire', 'printer fire', 'prin', 'n', 'no', '1', '12', '#1', 'zzz', 'secret', 'fire n'];
const [first] = stories;

const some: Sort[] = ['-createdAt', '-updatedAt', 'priority', 'number', 'deadline'];
/** Everything that reads of tickets are asked for; searches in every way. */
const searches = questions.map((q) => `q=${encodeURIComponent(q)}`).flatMap((q) => [...['', '&status=open', '&tag=tag-1&createdTo=2026-01-03', '&sort=-updatedAt', '&sort=deadline'].map((more) => `/tickets?${q}${more}&pageSize=5`), `/tickets/counts?${q}`, `/suggest?${q}`]);
const others = [
  ...filters.flatMap((filter) => [...some.map((sort) => `/tickets?${filter}&sort=${sort}&pageSize=5`), `/tickets/counts?${filter.replace(/status=[a-z,]+&?/, '')}`]),
  ...['', '?version=2', '?asOf=2026-01-01T00:00:01.500Z'].flatMap((moment) => ['', '/comments', '/timeline', '/conversation'].map((part) => `/tickets/${first!.id}${part}${moment}`)),
  `/tickets/${first!.id}/timeline?type=comment-added`,
  '/tickets/7',
  `/tickets/${first!.id}/transitions`,
  ...['', 'from=2026-01-01&to=2026-01-31', 'from=2026-01-01T05:00:00Z&to=2026-03-05T07:00:00Z', 'assistantId=billing-bot', 'assistantId=billing-bot,tech-bot'].map((range) => `/stats?${range}`),
];

async function ask(service: Running, who: Principal, path: string): Promise<void> {
  const { status, body } = await service.get(who, path);
  expect({ path, isAnswered: [200, 403, 404].includes(status), body }).toEqual({ path, isAnswered: true, body });
  const { nextCursor } = body as { nextCursor?: string };
  if (nextCursor) await service.get(who, `${path}&cursor=${nextCursor}`);
}

const busy: Principal = { ...grace, access: { role: 'member', assistantIds: Array.from({ length: 40 }, (_, i) => (i === 0 ? 'billing-bot' : `bot-${i}`)) } };
const askers: Record<string, Principal> = { 'an administrator': ada, 'a member of forty assistants': busy, 'an agent who may not read notes': agent('billing-bot', 'tickets:read') };

const stepsOf = async ({ $db: _db, lsid: _lsid, $clusterTime: _time, readConcern: _concern, ...plain }: Command) => planSteps(await services[0]!.db.command({ explain: plain, verbosity: 'queryPlanner' }));

/** These lead to tickets of some keys or words, which are sorted where they were counted before: see `plans.int.spec.ts`. */
const countedBefore = ['byKey', 'byWord', 'byPriority', 'byDeadlineState'];

/** Of so few tickets, named one by one, the store may sort what it groups: how it does that is its planner's mood. */
function namesFew({ pipeline }: Command): boolean {
  const ids = (pipeline as { $match?: { _id?: { $in?: unknown[] } } }[] | undefined)?.[0]?.$match?._id?.$in;
  return ids !== undefined && ids.length <= 1_000;
}

describe('whatever somebody reads', () => {
  it.each(Object.keys(askers))('as %s, the store scans no collection for it, and sorts only what was counted before', async (who) => {
    commands.clear();
    for (const path of others) await ask(services[0]!, askers[who]!, path);
    for (const service of who === 'an administrator' ? services : services.slice(0, 1)) for (const path of searches) await ask(service, askers[who]!, path);
    expect(commands.size).toBeGreaterThan(50);
    for (const command of commands.values()) {
      const { scans, sorts: sorted, indexes } = await stepsOf(command);
      const maySort = countedBefore.includes(String(command['hint'])) || namesFew(command);
      expect({ command, scans, sorts: maySort ? [] : sorted, hasIndex: indexes.length > 0 }).toEqual({ command, scans: [], sorts: [], hasIndex: true });
    }
  });

  it('is seen where a collection is scanned', async () => {
    const { scans, indexes } = await stepsOf({ find: 'tickets', filter: { nothing: 1 } });
    expect([scans.length > 0 || indexes.every((index) => index === '_id_')]).toEqual([true]);
    expect(scans.length + indexes.length).toBeGreaterThan(0);
  });
});
