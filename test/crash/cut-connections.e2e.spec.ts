import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import type { AppHandle } from '../support/app-handle.js';
import { CuttingProxy, type Fate } from '../support/cutting-proxy.js';
import { watchHealth } from '../support/health-watch.js';
import { mixedLoad } from '../support/mixed-load.js';
import { anyServers, WritePath } from '../support/write-path.js';

describe('ticket-command behind connections that break', () => {
  let servers: Awaited<ReturnType<typeof anyServers>>;
  let path: WritePath;
  let broker: CuttingProxy;
  let store: CuttingProxy;
  let app: AppHandle;

  beforeAll(async () => {
    servers = await anyServers();
    path = await WritePath.open(servers);
    [broker, store] = await Promise.all([CuttingProxy.toKafka(servers.kafkaBrokers), CuttingProxy.toMongodb(servers.mongodbUri)]);
    const MONGODB_URI = servers.mongodbUri.replace(/:\d+/, `:${store.port}`);
    app = await path.stack.add('ticket-command', { env: { KAFKA_BROKERS: `127.0.0.1:${broker.port}`, MONGODB_URI } });
  });

  afterEach(() => {
    for (const proxy of [broker, store]) {
      proxy.fate = () => 'pass';
      proxy.spoilt.clear();
      proxy.up();
    }
  });

  afterAll(async () => {
    await path.close();
    await Promise.all([broker.close(), store.close()]);
    await servers.stop();
  });

  /** The first requests of a name meet these fates, one after the other; everything else passes. */
  const inTurn = (name: string, fates: readonly Fate[]) => {
    const left = [...fates];
    return (request: string): Fate => (request === name ? (left.shift() ?? 'pass') : 'pass');
  };

  /** Every nth request of any kind, as long as any are left. */
  const scattered = (every: number, fates: readonly Fate[]) => {
    const left = [...fates];
    let count = 0;
    return (): Fate => (++count % every === 0 ? (left.shift() ?? 'pass') : 'pass');
  };

  const cut: Fate = 'cut after';
  /** `pieces` is how many commands come at a time: all at once makes rounds whose events take several requests. */
  const spoilers: { what: string; proxy: () => CuttingProxy; fate: () => (request: string) => Fate; spoilt: string[]; pieces?: number }[] = [
    { what: 'the broker takes records and cannot say so, once', proxy: () => broker, fate: () => inTurn('produce', [cut]), spoilt: ['cut after produce'] },
    { what: 'the broker takes records and cannot say so until the producer gives up', proxy: () => broker, fate: () => inTurn('produce', Array<Fate>(7).fill(cut)), spoilt: ['cut after produce'], pieces: Infinity },
    { what: 'the broker takes records, fails in between and answers too late', proxy: () => broker, fate: () => inTurn('produce', ['cut before', 'pass', 6_000, 'cut before', cut]), spoilt: ['cut before produce', 'cut after produce', 'hold produce'] },
    { what: 'the broker is out of reach until the producer gives up', proxy: () => broker, fate: () => inTurn('produce', Array<Fate>(5).fill('cut before')), spoilt: ['cut before produce'], pieces: Infinity },
    { what: 'offset commits arrive without an answer', proxy: () => broker, fate: () => inTurn('commit', [cut, cut, 'cut before']), spoilt: ['cut after commit'] },
    { what: 'the broker hangs up again and again', proxy: () => broker, fate: () => scattered(7, Array<Fate[]>(10).fill([cut, 'cut before']).flat()), spoilt: [] },
    { what: 'the store keeps commits and cannot say so', proxy: () => store, fate: () => inTurn('insert', [cut, 'pass', cut, cut, 'cut before', 'pass', 'pass', cut]), spoilt: ['cut after insert', 'cut before insert'] },
    { what: 'the store cannot tell what it finds', proxy: () => store, fate: () => inTurn('find', [cut, cut]), spoilt: ['cut after find'] },
    { what: 'the store takes its time', proxy: () => store, fate: () => inTurn('insert', [1_500, 'pass', 1_500]), spoilt: ['hold insert'] },
    { what: 'the store gives numbers away without telling', proxy: () => store, fate: () => inTurn('findAndModify', [cut, cut]), spoilt: ['cut after findAndModify'] },
    { what: 'the store hangs up again and again', proxy: () => store, fate: () => scattered(5, Array<Fate[]>(6).fill([cut, 'cut before']).flat()), spoilt: [] },
  ];

  it.each(spoilers)('loses and doubles nothing when $what', async ({ what, proxy, fate, spoilt, pieces = 60 }) => {
    const load = mixedLoad(`${what} ${Date.now()}`, 16, `org-${Date.now()}`); // an organisation of its own asks for numbers of its own
    proxy().fate = fate();
    await path.client.stream(load, pieces);
    await path.settled(load);
    expect([...proxy().spoilt.keys()]).toEqual(expect.arrayContaining(spoilt));
    expect(proxy().spoilt.size).toBeGreaterThan(0);
    expect(await path.verdict(load)).toEqual([]);
  });

  it.each([
    { name: 'broker', proxy: () => broker },
    { name: 'store', proxy: () => store },
  ])('waits while there is no $name, says so, stays alive, and works off what has come meanwhile', async ({ name, proxy }) => {
    const load = mixedLoad(`no ${name} ${Date.now()}`, 12);
    await app.untilReady();
    const health = watchHealth(app.managementUrl);
    const sending = path.client.stream(load, 40);
    await eventually(async () => (await path.seen(load)).answers > 0);
    proxy().down();
    await eventually(() => health.ready.includes(503));
    await sending;
    proxy().up();
    await path.settled(load);
    await eventually(() => health.ready.at(-1) === 200);
    await health.stop();
    expect(health.live).toEqual([200]);
    expect(await path.verdict(load)).toEqual([]);
  });
});
