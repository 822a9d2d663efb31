import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Story } from '../../apps/query-search/testing/stories.js';
import { eventually } from '../support/eventually.js';
import { RebuildScene, Traffic, Watcher, type SeenCourse } from '../support/rebuild-scene.js';

jest.setTimeout(240_000);

const hour = 3_600_000;
const pick = <T>(from: readonly T[], i: number) => from[i % from.length]!;

/** Lives of every kind, over months. */
function lifeOf(i: number): Story {
  const story = new Story({ orgId: pick(['acme', 'globex'], i), number: i + 1, at: Date.parse('2026-01-05T00:00:00Z') + i * 7 * hour });
  story.create({ title: `Printer ${i} on fire`, tags: pick([[], ['hot'], ['VIP', 'late']], i), assistantId: pick(['billing-bot', 'tech-bot', undefined], i) });
  if (i % 2) story.comment('we look into it', pick(['reply', 'note', 'comment'] as const, i >> 1));
  if (i % 3) story.move('pending', 'waiting');
  if (i % 4 === 3) story.say('hurry', 'please');
  if (i % 5 === 1 && i % 3) story.move('resolved');
  if (i % 7 === 2) story.happens('ticket.update-details.v1', { title: 'Smoke', tags: ['cold'] });
  if (i % 11 === 4) story.happens('ticket.assign.v1', { to: { type: 'member', id: 'grace', name: 'Grace' } });
  if (i % 13 === 5) story.happens('ticket.delete.v1', {});
  return story;
}

describe('a rebuild of the read model', () => {
  let scene: RebuildScene;
  let traffic: Traffic;
  let watcher: Watcher;

  beforeAll(async () => {
    scene = await RebuildScene.open();
    const stories = Array.from({ length: 3_000 }, (_, i) => lifeOf(i));
    await scene.publish(stories.flatMap(({ events }) => events));
    await eventually(async () => (await scene.documents(1))['tickets']!.size === stories.length, 60_000, 'views');
    traffic = new Traffic(scene);
    await eventually(async () => (await scene.ask(0, `/tickets/${traffic.hot.id}`, { orgId: 'moving', actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role: 'admin', assistantIds: [] } })).status === 200);
    watcher = new Watcher(scene, traffic.hot.id);
  });

  afterAll(async () => {
    await traffic?.stop();
    await watcher?.stop();
    await scene?.close();
  });

  const reaches = (holds: (course: SeenCourse) => boolean) => eventually(async () => holds(await scene.course()), 60_000);

  it('switches under load, and nobody sees an older state than before', async () => {
    const run = scene.rebuild();
    await run.ended;
    process.stderr.write(`${run.said()}\nlongest answer ${watcher.longestMs} ms, ${JSON.stringify(watcher.answers)} ${watcher.wrong.slice(0, 5).join()}\n`);
    expect([(await run.ended).code, run.said()]).toEqual([0, expect.stringMatching(/built anew/)]);
    expect(await scene.course()).toMatchObject({ phase: 'serving', live: 2, building: null, retired: [], dropping: [] });
    expect(await scene.collections()).not.toContain('tickets');
    expect(watcher.wrong).toEqual([]);
    expect(watcher.answers).toEqual({ good: expect.anything(), unavailable: 0 });
  });
});
