import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createCommands } from './commands.js';
import type { Figures } from './measures.js';
import { orgId, tell, until, type Setting } from './setting.js';

const [fast, hanging] = [10, 2];
const eventsPerSecond = 200;

/** Everybody who is told: who hangs takes requests and never answers. */
class Receivers {
  /** When each delivery came, ms, and how long after its event, ms. */
  readonly came: { at: number; delay: number }[] = [];
  private readonly servers: Server[] = [];

  async open(hangs: boolean): Promise<string> {
    const server = createServer((request, response) => void (hangs || this.take(request, response)));
    this.servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = Buffer.concat(await request.toArray()).toString();
    response.end();
    const at = Date.now();
    this.came.push({ at, delay: at - Date.parse((JSON.parse(text) as { at: string }).at) });
  }

  close(): void {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

/** Deliveries to webhooks: how many a second while some hang, and how long after its event one comes at a steady rate. */
export async function notify(setting: Setting, { events, seconds }: { events: number; seconds: number }): Promise<Figures> {
  const app = await setting.startNotification();
  const receivers = new Receivers();
  const request = (method: string, path: string, body?: object) => fetch(`${setting.stack.gatewayUrl}/v1/webhooks${path}`, { method, headers: setting.headers(), ...(body && { body: JSON.stringify(body) }) });
  const webhook = async (hangs: boolean): Promise<string> => {
    const answer = await request('POST', '', { name: 'Bench', url: await receivers.open(hangs) });
    if (answer.status !== 201) throw new Error(`no webhook was made: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { id: string }).id;
  };
  const all = await Promise.all(Array.from({ length: fast + hanging }, (_, i) => webhook(i >= fast)));
  const cpuBefore = setting.usage();
  await setting.produce(createCommands(orgId, events));
  await until('all deliveries', async () => receivers.came.length >= events * fast, { seconds: 600 });
  const cpu = setting.usage();
  const perSecond = rate(receivers.came.map(({ at }) => at));
  tell(`${perSecond.toFixed(0)} deliveries/s`);
  const spent = Object.entries(cpu).map(([name, { cpuSeconds }]) => `${name} ${(cpuSeconds - (cpuBefore[name]?.cpuSeconds ?? 0)).toFixed(1)}`);
  await Promise.all(all.slice(1).map((id) => request('DELETE', `/${id}`)));
  receivers.came.length = 0;
  for (let sent = 0; sent < seconds * eventsPerSecond; sent += eventsPerSecond / 10) {
    await Promise.all([delay(100), setting.produce(createCommands(orgId, eventsPerSecond / 10))]);
  }
  await until('the last delivery', async () => receivers.came.length >= seconds * eventsPerSecond);
  // The first second starts what is compiled and opened once.
  const delays = receivers.came.slice(eventsPerSecond).map((one) => one.delay).sort((one, other) => one - other);
  const at = (share: number) => delays[Math.floor(share * delays.length)]!;
  receivers.close();
  await app.end();
  return {
    [`notify: webhook deliveries/s to ${fast} while ${hanging} hang`]: perSecond,
    'notify: CPU s of that': spent.join(', '),
    [`notify: event to delivery at ${eventsPerSecond}/s, p50 / p99 ms`]: `${at(0.5)} / ${at(0.99)}`,
  };
}

/** Without the first tenth, in which compilers work and connections are opened. */
function rate(times: readonly number[]): number {
  const from = Math.floor(times.length / 10);
  return (times.length - from) / ((times.at(-1)! - times[from]!) / 1_000);
}
