import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Backlog } from '#messaging';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { feedBehind } from '../support/feed.js';
import { RebuildScene } from '../support/rebuild-scene.js';

describe('npm run query:rebuild', () => {
  let scene: RebuildScene;
  let client: Client;

  beforeAll(async () => {
    scene = await RebuildScene.open({ instances: { gateway: 1, 'ticket-command': 1 } });
    client = clientOf(scene.stack, { org: 'acme', sub: 'ada' });
  });
  afterAll(() => scene?.close());

  it('goes on unnoticed by whoever works meanwhile: what they made is seen at once and stays visible', async () => {
    const made: string[] = [];
    const before = await feedBehind(client);
    const trouble: string[] = [];
    const run = scene.rebuild();
    let isOver = false;
    void run.ended.then(() => (isOver = true));
    const work = async (name: string) => {
      for (let turn = 0; !isOver; turn++) {
        const { id } = await client.ticket({ title: `Rebuilt while ${name} worked`, tags: [name] });
        made.push(id as string);
        const { phase, term } = await scene.course();
        const path = `/tickets/${made[(turn * 7) % made.length]}`;
        const { status, text } = await client.ask('GET', path);
        // Whoever is refused while nobody changes the course has met a slow machine, and is told soon.
        const isSlow = status === 503 && phase === 'serving' && (await scene.course()).term === term;
        const told = isSlow ? await client.get(path) : { status, text };
        if (told.status !== 200) trouble.push(told.text);
        const listed = (await client.get(`/tickets?tag=${name}&pageSize=1`)).body['total'] as number;
        if (listed < turn + 1) trouble.push(`${name} sees ${listed} of ${turn + 1} tickets`);
      }
    };
    await Promise.all(['one', 'two', 'three'].map(work));
    expect([(await run.ended).code, run.said()]).toEqual([0, expect.stringContaining('built anew')]);
    expect(await scene.course()).toMatchObject({ live: 2, building: null });
    expect(trouble).toEqual([]);
    expect(made.length).toBeGreaterThan(6); // each worked on; how fast is the machine's affair
    for (const id of made) expect((await client.get(`/tickets/${id}`)).status).toBe(200);
    const after = await feedBehind(client);
    expect(after.items.slice(0, before.items.length)).toEqual(before.items);
    expect(after.items.slice(before.items.length)).toEqual((await feedBehind(client, before.next)).items);
    expect(new Set(after.items.map(({ id }) => id)).size).toBe(after.items.length);
    expect(made.filter((id) => !after.items.some(({ ticketId, version }) => ticketId === id && version === 1))).toEqual([]);
  });

  it('begins by itself where an older version has left the read model, which answers as it should until then', async () => {
    const word = 'zebra';
    for (let i = 0; i < 6; i++) await client.ticket({ title: `A ${word}`, assistantId: i % 2 ? 'billing-bot' : 'tech-bot' });
    const grace = clientOf(scene.stack, { org: 'acme', sub: 'grace' });
    const found = async () => (await grace.get(`/tickets?q=${word}`)).body['total'];
    await eventually(async () => (await found()) === 3);
    const { live } = await scene.course();
    const atRest = async (generation: number) => {
      const documents = await scene.documents(generation);
      return documents['stats_marks']!.size === 0 && documents;
    };
    const before = await eventually(() => atRest(live), 120_000);
    await scene.makeOlder();
    const answers = new Set<unknown>();
    const underWay = async () => ((await (await fetch(`${scene.instances[0]!.managementUrl}/health/ready`)).json()) as { rebuild?: unknown }).rebuild;
    const told: unknown[] = [];
    await eventually(async () => {
      answers.add(await found());
      told.push(await underWay());
      return (await scene.course()).live > live;
    }, 120_000);
    answers.add(await found());
    expect([...answers].filter((answer) => answer !== 3)).toEqual([]);
    expect(told).toContainEqual({ label: expect.any(String), done: expect.any(Number), total: expect.any(Number) });
    await eventually(async () => (await underWay()) === undefined);
    expect(await scene.course()).toMatchObject({ live: live + 1, building: null, shapes: { [live + 1]: expect.any(Number) } });
    const after = await eventually(() => atRest(live + 1), 120_000);
    for (const [name, documents] of Object.entries(before)) expect([name, after[name]]).toEqual([name, documents]);
    await eventually(async () => (await scene.course()).retired.length + (await scene.course()).dropping.length === 0);
  });

  it('leaves groups that tools find: those of what is live', async () => {
    const { live } = await scene.course();
    const groups = ['query-search.ticket-view', 'query-search.search'].map((group) => `${group}.g${live}`);
    const backlog = await Backlog.open(scene.servers.kafkaBrokers.split(','));
    expect(await Promise.all(['query-search.ticket-view', 'query-search.search'].map((group) => backlog.readingNow(group)))).toEqual(groups);
    expect(await backlog.groups()).not.toContain('query-search.ticket-view');
    await backlog.close();
  });
});
