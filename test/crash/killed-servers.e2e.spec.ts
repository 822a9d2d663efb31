import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { RunningServers } from '#servers';
import { eventually } from '../support/eventually.js';
import type { AppHandle } from '../support/app-handle.js';
import { clientOf, type Client } from '../support/client.js';
import { watchHealth } from '../support/health-watch.js';
import { mixedLoad } from '../support/mixed-load.js';
import { wrongViews } from '../support/seen-views.js';
import { ownServers, WritePath } from '../support/write-path.js';

Logger.overrideLogger(false); // the client complains of the broker that this test kills

describe('services on servers that are killed under load', () => {
  let servers: RunningServers;
  let path: WritePath;
  let apps: AppHandle[];
  let ada: Client;

  beforeAll(async () => {
    servers = await ownServers();
    path = await WritePath.open(servers, {});
    apps = Object.values(path.stack.apps).flat();
    ada = clientOf(path.stack, { org: 'acme', sub: 'ada' });
  });

  afterAll(async () => {
    await path.close();
    await servers.stop();
  });

  const pidOf = (server: 'kafka' | 'mongodb', index: number) => servers.servers[server].pids.at(index);

  it.each([
    { name: 'Kafka', victim: () => pidOf('kafka', 0) },
    { name: 'the store', victim: () => pidOf('mongodb', 0) },
    { name: 'the front of the store', victim: () => pidOf('mongodb', -1) },
  ])('wait for $name, say so, stay alive, lose and double nothing, and work off what has come', async ({ name, victim }) => {
    const load = mixedLoad(`${name} ${Date.now()}`, 24);
    await Promise.all(apps.map((app) => app.untilReady()));
    const watches = apps.map(({ managementUrl }) => watchHealth(managementUrl));
    const sending = path.client.stream(load, 30);
    await eventually(async () => (await path.seen(load)).answers > 0);
    const killed = new Set<number>();
    await eventually(() => {
      const pid = victim(); // one that came back before anybody noticed is killed again
      if (pid !== undefined && !killed.has(pid)) process.kill(pid, 'SIGKILL');
      if (pid !== undefined) killed.add(pid);
      return watches.every(({ ready }) => ready.includes(503));
    });
    await sending;
    await path.settled(load);
    await eventually(() => expect(watches.map(({ ready }) => ready.at(-1))).toEqual(apps.map(() => 200)));
    await Promise.all(watches.map((watch) => watch.stop()));
    expect(watches.map(({ live }) => live)).toEqual(apps.map(() => [200]));
    expect(await path.verdict(load)).toEqual([]);
    expect(await wrongViews(ada, path.tail, new Set(load.map(({ ticketId }) => ticketId)))).toEqual([]);
  });
});
