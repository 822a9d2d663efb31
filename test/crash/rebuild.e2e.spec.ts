import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Story } from '../../apps/query-search/testing/stories.js';
import { eventually } from '../support/eventually.js';
import { RebuildScene, Traffic, Watcher, type RebuildRun, type SeenCourse } from '../support/rebuild-scene.js';

const tickets = 500;
const hour = 3_600_000;
const pick = <T>(from: readonly T[], i: number) => from[i % from.length]!;

/** Lives of every kind, over months. */
function lifeOf(i: number): Story {
  const story = new Story({ orgId: pick(['acme', 'globex'], i), number: i + 1, at: Date.parse('2026-01-05T00:00:00Z') + i * 6 * hour });
  story.create({ title: `Printer ${i} on fire`, tags: pick([[], ['hot'], ['VIP', 'late']], i), assistantId: pick(['billing-bot', 'tech-bot', undefined], i) });
  const later: [boolean, () => unknown][] = [
    [i % 2 === 1, () => story.comment('we look into it', pick(['reply', 'note', 'comment'] as const, i >> 1))],
    [i % 3 > 0, () => story.move('pending', 'waiting')],
    [i % 4 === 3, () => story.say('hurry', 'please')],
    [i % 15 === 1, () => story.move('resolved')],
    [i % 7 === 2, () => story.happens('ticket.update-details.v1', { title: 'Smoke', tags: ['cold'] })],
    [i % 11 === 4, () => story.happens('ticket.assign.v1', { to: { type: 'member', id: 'grace', name: 'Grace' } })],
    [i % 13 === 5, () => story.happens('ticket.delete.v1', {})],
  ];
  for (const [isSo, happens] of later) if (isSo) happens();
  return story;
}

describe('a rebuild of the read model', () => {
  let scene: RebuildScene;
  let traffic: Traffic;
  let watcher: Watcher;

  beforeAll(async () => {
    scene = await RebuildScene.open();
    const stories = Array.from({ length: tickets }, (_, i) => lifeOf(i));
    await scene.publish(stories.flatMap(({ events }) => events));
    await eventually(async () => (await scene.documents(1))['tickets']!.size === stories.length, 120_000, 'views');
    traffic = new Traffic(scene);
    await eventually(async () => (await scene.documents(1))['tickets']!.has(`hot/${traffic.hot.id}`));
    watcher = new Watcher(scene, traffic.hot.id);
  });

  afterAll(async () => {
    await traffic?.stop();
    await watcher?.stop();
    await scene?.close();
  });

  const reaches = (holds: (course: SeenCourse) => boolean) => eventually(async () => holds(await scene.course()), 120_000, String(holds));
  const succeeds = async (run: RebuildRun) => expect([(await run.ended).code, run.said()]).toEqual([0, expect.stringMatching(/built anew .* Answers waited for [\d,]+ ms/s)]);
  /** One that is told to stop while it is at work, by `stop`: begun again where it was over before that. */
  const stoppedBy = async (stop: (run: RebuildRun) => Promise<void>): Promise<RebuildRun> => {
    for (;;) {
      const run = scene.rebuild();
      await stop(run);
      if ((await run.ended).code === 130) return run;
      await succeeds(run);
    }
  };
  const atWork = async (run: RebuildRun) => {
    let isOver = false;
    void run.ended.then(() => (isOver = true));
    await reaches(({ building, holder }) => isOver || (building !== null && holder !== null));
  };
  const nobodySawOlderState = () => {
    expect([watcher.wrong, watcher.answers.unavailable]).toEqual([[], 0]);
    expect(watcher.answers.slow).toBeLessThanOrEqual(watcher.answers.good / 10);
  };

  it('switches under load, and nobody sees an older state than before, nor waits until they are refused', async () => {
    await succeeds(scene.rebuild());
    expect(await scene.course()).toMatchObject({ phase: 'serving', live: 2, building: null, retired: [], dropping: [] });
    expect((await scene.collections()).filter((name) => /^(tickets|timeline|search|words|stats)/.test(name) && !name.endsWith('.g2'))).toEqual([]);
    nobodySawOlderState();
  });

  it('is refused while another one is under way, goes on where it was stopped, and begins anew when told so', async () => {
    const refusals: string[] = [];
    const first = await stoppedBy(async (run) => {
      await atWork(run);
      const second = scene.rebuild();
      refusals.push(`${(await second.ended).code} ${second.said()}`);
      run.signal('SIGINT');
    });
    expect([refusals.at(-1), first.said()]).toEqual([expect.stringMatching(/^1 .*under way already/s), expect.stringContaining('goes on where it was')]);
    const { live, building } = await scene.course();
    expect(building).toBe(live + 1);
    await stoppedBy(async (run) => {
      await atWork(run);
      run.signal('SIGTERM');
    });
    expect(await scene.course()).toMatchObject({ building, live, holder: null });
    await succeeds(scene.rebuild('--restart'));
    expect(await scene.course()).toMatchObject({ phase: 'serving', live: live + 2, building: null, retired: [], dropping: [] });
    nobodySawOlderState();
  });

  it('may be killed at any time: what is live stays live, and the next one goes on', async () => {
    const { live } = await scene.course();
    for (const moment of ['serving', 'joining', 'holding']) {
      expect((await scene.rebuildSignalling(moment, 'SIGKILL').ended).signal).toBe('SIGKILL');
      await reaches(({ phase }) => phase === 'serving');
      expect(await scene.course()).toMatchObject({ live, building: live + 1 });
    }
    nobodySawOlderState();
    await succeeds(scene.rebuild());
    expect((await scene.course()).live).toBe(live + 1);
    nobodySawOlderState();
  });

  it('leaves an instance behind that stands still, which answers nothing of the past when it goes on', async () => {
    const sleeper = scene.instances[1]!;
    watcher.asked = [0];
    await succeeds(scene.rebuildSignalling('joining', 'SIGSTOP', sleeper.pid));
    const { unavailable } = watcher.answers;
    const asked = Array.from({ length: watcher.questions }, (_, turn) => watcher.look(1, turn));
    await sleeper.kill('SIGCONT');
    await Promise.all(asked);
    watcher.asked = [0, 1];
    await eventually(() => watcher.answers.good > 100);
    expect(watcher.wrong).toEqual([]);
    expect(watcher.answers.unavailable - unavailable).toBeLessThanOrEqual(watcher.questions);
    watcher.answers.unavailable = 0;
    await eventually(async () => (await fetch(`${sleeper.managementUrl}/health/ready`)).ok);
  });

  it('makes the same documents as live updates did', async () => {
    await traffic.stop();
    const { live } = await scene.course();
    await eventually(async () => {
      const { tickets, stats_marks: marks } = await scene.documents(live);
      return marks!.size === 0 && (tickets!.get(`hot/${traffic.hot.id}`) as { version: number }).version === traffic.hot.events.length;
    });
    await succeeds(scene.rebuild('--keep-old'));
    const [kept, built] = await Promise.all([scene.documents(live), scene.documents(live + 1)]);
    expect(Object.values(built).map(({ size }) => size)).toEqual(Object.values(kept).map(({ size }) => size));
    for (const [name, documents] of Object.entries(kept)) expect([name, built[name]]).toEqual([name, documents]);
    expect(kept['tickets']!.size).toBe(tickets + traffic.tickets + 1);
    expect(kept['stats_days']!.size).toBeGreaterThan(100);
    nobodySawOlderState();
  });
});
