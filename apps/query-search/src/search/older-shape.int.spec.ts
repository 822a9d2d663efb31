import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Principal } from '#contracts';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { ada, agent, grace, linus } from '../../../../libs/contracts/testing/builders.js';
import { Running } from '../../testing/running.js';
import { newYear, Story } from '../../testing/stories.js';
import { collectionsOf } from '../collections.js';

const stories = Array.from({ length: 40 }, (_, i) =>
  new Story({ number: i + 1, at: newYear + i * 3_600_000 })
    .create({ title: `Printer ${i % 7} on fire`, tags: [`tag-${i % 3}`], assistantId: i % 2 ? 'billing-bot' : 'tech-bot', ...(i % 5 === 0 && { assignee: { type: 'member', id: 'grace', name: 'Grace' } }) })
    .comment(`secret ${i % 4}`, 'note'),
);
const twin = new Story({ orgId: 'globex', id: stories[1]!.id, number: 1 }).create({ title: 'Printer on fire', assistantId: 'billing-bot' });
const askers: Record<string, Principal> = { ada, grace, linus, noteless: agent('billing-bot', 'tickets:read'), nobody: { ...grace, actor: { type: 'member', id: 'nobody', name: 'N' }, access: { role: 'member', assistantIds: [] } } };
const questions = ['fire', 'prin', 'secret', '3 fire'].flatMap((q) => [`/tickets?q=${q}&pageSize=100`, `/tickets?q=${q}&tag=tag-1&sort=-updatedAt`, `/tickets?q=${q}&assignee=grace&status=open&pageSize=2&page=2`, `/tickets/counts?q=${q}`, `/suggest?q=${q}`]).concat(['status=open', 'status=open,pending&assistantId=billing-bot&sort=-updatedAt', 'status=open&assignee=grace,none&pageSize=3'].map((asked) => `/tickets?${asked}`), '/tickets/counts');

let services: Running[];
beforeAll(async () => {
  const first = await Running.start();
  services = [first, await Running.start(first.database, { few: 0, narrow: 0, steps: [2, 5] }), await Running.start(first.database, { few: 0, narrow: 1_000, steps: [2, 5] })];
  await first.project(...[...stories, twin].flatMap(({ events }) => events));
});
afterAll(async () => {
  for (const service of services.slice(1)) await service.stop({ keep: true });
  await services[0]!.stop();
});

const bodies = (service: Running, by: Principal) => Promise.all(questions.map((path) => told(service, by, path)));
/** Asked again where the store has not answered in time. */
const told = (service: Running, by: Principal, path: string) =>
  eventually(async () => {
    const { status, body } = await service.get(by, path);
    return status !== 503 && (body as { total?: number; nextCursor?: unknown });
  }, path);

/** As versions left it that stored no keys among the words, none of the work there is, and no shapes. */
async function makeOlder({ db }: Running): Promise<void> {
  const entries = db.collection<{ _id: string; tokens: string[] }>(collectionsOf(1).search);
  for await (const { _id, tokens } of entries.find()) await entries.updateOne({ _id }, { $set: { tokens: tokens.filter((token) => !token.startsWith('=')) } });
  const views = db.collection<{ _id: string; keys: string[] }>(collectionsOf(1).views);
  for await (const { _id, keys } of views.find()) await views.updateOne({ _id }, { $set: { keys: keys.filter((key) => !key.includes(' ')) } });
  await db.collection<{ _id: string }>('generations').updateOne({ _id: 'course' }, { $unset: { shapes: '' } });
}

describe('a read model of an older shape', () => {
  it('answers everybody as one that has them, until it is built anew', async () => {
    const right = new Map(await Promise.all(Object.entries(askers).map(async ([name, by]) => [name, await bodies(services[0]!, by)] as const)));
    expect(right.get('grace')![0]!.total).toBe(24);
    expect(right.get('nobody')!.every(({ total = 0 }) => total === 0)).toBe(true);
    await makeOlder(services[0]!);
    for (const service of services) {
      await eventually(async () => (await service.get(grace, '/tickets?q=fire')).body.total === 24, 'the service sees the shape');
      for (const [name, by] of Object.entries(askers)) expect([name, await bodies(service, by)]).toEqual([name, right.get(name)]);
    }
  });
});
