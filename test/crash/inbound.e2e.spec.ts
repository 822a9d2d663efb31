import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { topics } from '#contracts';
import type { RunningServers } from '#servers';
import { abortAt, type AbortPoint, undisturbed } from '../support/abort-plan.js';
import type { AppHandle } from '../support/app-handle.js';
import { eventually } from '../support/eventually.js';
import { forgetService } from '../support/group-members.js';
import { watchHealth } from '../support/health-watch.js';
import { InboundScene } from '../support/inbound-scene.js';
import { ownServers } from '../support/write-path.js';

Logger.overrideLogger(false); // the clients complain of the broker that this test kills

describe('records of an outside system', () => {
  let servers: RunningServers;
  let scene: InboundScene;
  let one: AppHandle;
  let other: AppHandle;

  beforeAll(async () => {
    servers = await ownServers();
    scene = await InboundScene.open(servers);
    [one, other] = [await scene.stack.add('ticket-command'), await scene.stack.add('ticket-command')];
    await Promise.all([one.end(), other.end()]);
  });

  afterEach(() => Promise.all([one.end(), other.end()]));

  afterAll(async () => {
    await scene.close();
    await servers.stop();
  });

  /** Starts it, lets it kill itself, and gives its partitions back at once. */
  async function dieAt(point: AbortPoint, occurrence = 1): Promise<void> {
    const before = one.logs().split(`reached ${point}\n`).length;
    one.start(abortAt({ point, occurrence }));
    await eventually(() => !one.isRunning);
    expect(one.logs().split(`reached ${point}\n`).length).toBe(before + 1);
    await forgetService(servers.kafkaBrokers, 'ticket-command');
  }

  const points: AbortPoint[] = ['before-forward', 'after-some-forwards', 'after-forwards', 'after-letters', 'after-insert', 'after-telling', 'before-offset-commit'];

  it.each(points)('%s: nothing is lost, doubled, reordered or told in two ways when ticket-command is killed there, and again while it recovers', async (point) => {
    const load = scene.load(`${point} ${Date.now()}`, 12);
    await scene.send(load);
    await dieAt(point);
    await dieAt(point);
    await one.restart(undisturbed);
    await scene.settled(load);
    expect(scene.verdict(load)).toEqual([]);
  });

  it('are shared by instances that come, go and are killed while records stream in', async () => {
    const load = scene.load(`instances ${Date.now()}`, 40);
    const quarter = Math.ceil(load.length / 4);
    await one.restart(undisturbed);
    const changes = [() => other.restart(undisturbed), () => one.kill('SIGTERM'), () => one.restart(), () => other.kill()];
    for (const [index, change] of changes.entries()) await Promise.all([scene.stream(load.slice(index * quarter, (index + 1) * quarter), 20), change()]);
    await forgetService(servers.kafkaBrokers, 'ticket-command'); // of the one that was killed; the one that lives joins again
    await other.restart();
    await scene.settled(load);
    expect(scene.verdict(load)).toEqual([]);
  });

  it('wait for a broker that is killed, and are worked off when it is back', async () => {
    const load = scene.load(`broker ${Date.now()}`, 24);
    await one.restart(undisturbed);
    await one.untilReady();
    const watch = watchHealth(one.managementUrl);
    const streaming = scene.stream(load, 20);
    await eventually(async () => {
      await scene.tail.readToEnd();
      return scene.results().some(({ ceId }) => ceId === load[0]!.ceId);
    });
    const pid = servers.servers.kafka.pids.at(0)!;
    process.kill(pid, 'SIGSTOP'); // one that is back within seconds is missed only where something was in hand
    await eventually(() => watch.ready.includes(503)).finally(() => process.kill(pid, 'SIGKILL'));
    await streaming;
    await scene.settled(load);
    await eventually(() => expect(watch.ready.at(-1)).toBe(200));
    await watch.stop();
    expect(watch.live).toEqual([200]);
    expect(scene.verdict(load)).toEqual([]);
    expect(await scene.tail.lagOf('ticket-command', topics.commands)).toBe(0);
  });
});
