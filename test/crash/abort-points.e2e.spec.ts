import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { topics } from '#contracts';
import { eventually } from '../support/eventually.js';
import { abortAt, type AbortPoint, undisturbed } from '../support/abort-plan.js';
import type { AppHandle } from '../support/app-handle.js';
import { forgetMembers } from '../support/group-members.js';
import { mixedLoad } from '../support/mixed-load.js';
import { anyServers, WritePath } from '../support/write-path.js';

describe('ticket-command killed at a point of its write path', () => {
  let servers: Awaited<ReturnType<typeof anyServers>>;
  let path: WritePath;
  let app: AppHandle;

  beforeAll(async () => {
    servers = await anyServers();
    path = await WritePath.open(servers);
    app = await path.stack.add('ticket-command');
    // What other specs have left to do is done: below, what is not committed is counted.
    await eventually(async () => (await path.tail.lagOf('ticket-command', topics.commands)) === 0);
    await app.end();
  });

  afterEach(() => app.end());

  afterAll(async () => {
    await path.close();
    await servers.stop();
  });

  /** Starts it, lets it kill itself, and gives its partitions back at once. */
  async function dieAt(point: AbortPoint, occurrence: number): Promise<void> {
    const before = app.logs().split(`reached ${point}\n`).length;
    app.start(abortAt({ point, occurrence }));
    await eventually(() => !app.isRunning);
    expect(app.logs().split(`reached ${point}\n`).length).toBe(before + 1);
    await forgetMembers(servers.kafkaBrokers, 'ticket-command');
  }

  /** What topics and store hold at the first death says that the point is where its name says. */
  const cases: { point: AbortPoint; again: number; leaves: (seen: Awaited<ReturnType<WritePath['seen']>>) => void }[] = [
    { point: 'after-look-up', again: 1, leaves: ({ commits }) => expect(commits).toBe(0) },
    { point: 'after-insert', again: 5, leaves: ({ commits, events }) => expect([commits > 0, events]).toEqual([true, 0]) },
    { point: 'after-some-events', again: 1, leaves: ({ commits, events, answers }) => expect([events > 0, events < commits, answers]).toEqual([true, true, 0]) },
    { point: 'after-events', again: 1, leaves: ({ events, answers }) => expect([events > 0, answers]).toEqual([true, 0]) },
    { point: 'before-offset-commit', again: 1, leaves: ({ answers }) => expect(answers).toBeGreaterThan(0) },
  ];

  it.each(cases)('$point: nothing is lost, doubled, changed or told in two ways, also when it dies again while it recovers', async ({ point, again, leaves }) => {
    const load = mixedLoad(`${point} ${Date.now()}`, 24);
    await path.client.send(load);
    await dieAt(point, 1);
    leaves(await path.seen(load));
    expect(await path.tail.lagOf('ticket-command', topics.commands)).toBe(load.length);
    await dieAt(point, again);
    await app.restart(undisturbed);
    await path.settled(load);
    await app.end();
    expect(await path.verdict(load)).toEqual([]);
  });
});
