import { request, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ticketBody } from './commands.js';
import type { Figures } from './measures.js';
import { tell, until, type Setting } from './setting.js';

const [eventsPerSecond, atOnce] = [5, 100];

/** One reader of a stream that counts what it hears, and how long after each event it heard of it, ms. */
class Reader {
  readonly delays: number[] = [];
  private response: IncomingMessage | undefined;

  async open(url: string, headers: Record<string, string>): Promise<void> {
    this.response = await new Promise<IncomingMessage>((resolve, reject) => void request(`${url}/v1/stream`, { headers, agent: false }, resolve).on('error', reject).end());
    if (this.response.statusCode !== 200) throw new Error(`a stream was answered with ${this.response.statusCode}`);
    this.response.setEncoding('utf8').on('error', () => undefined);
    this.response.on('data', (text: string) => {
      const now = Date.now();
      for (const [, at] of text.matchAll(/^data: .*?"at":"([^"]+)"/gm)) this.delays.push(now - Date.parse(at!));
    });
  }

  close(): void {
    this.response?.destroy();
  }
}

/** Streams of one gateway: how long events take to many readers, what a stream costs; then the feed, read from its beginning. */
export async function stream(setting: Setting, { seconds, readers }: { seconds: number; readers: number }): Promise<Figures> {
  const { gatewayUrl } = setting.stack;
  const headers = setting.headers();
  const memoryBefore = setting.usage()['gateway']!.residentMb;
  const all = Array.from({ length: readers }, () => new Reader());
  for (let from = 0; from < readers; from += atOnce) await Promise.all(all.slice(from, from + atOnce).map((reader) => reader.open(gatewayUrl, headers)));
  const memoryOpen = setting.usage()['gateway']!.residentMb;
  tell(`${readers} streams are open`);
  const events = seconds * eventsPerSecond;
  const before = setting.usage();
  for (let i = 0; i < events; i++) {
    await Promise.all([delay(1_000 / eventsPerSecond), fetch(`${gatewayUrl}/v1/tickets`, { method: 'POST', headers, body: JSON.stringify(ticketBody(i)) })]);
  }
  const heard = () => all.reduce((sum, { delays }) => sum + delays.length, 0);
  await until('every event at every reader', async () => heard() >= events * readers);
  const after = setting.usage();
  const delays = all.flatMap((reader) => reader.delays).sort((one, other) => one - other);
  const at = (share: number) => delays[Math.floor(share * delays.length)]!;
  const memoryAfter = setting.usage()['gateway']!.residentMb;
  all.forEach((reader) => reader.close());
  return {
    [`stream: event to ${readers} readers, p50 / p99 ms`]: `${at(0.5)} / ${at(0.99)}`,
    'stream: gateway CPU ms an event and reader': ((after['gateway']!.cpuSeconds - before['gateway']!.cpuSeconds) * 1_000) / (events * readers),
    'stream: gateway memory of an open stream, KB': ((memoryOpen - memoryBefore) * 1_024) / readers,
    'stream: gateway memory with all of them, MB': memoryAfter,
    ...(await feed(setting, headers)),
  };
}

async function feed({ stack }: Setting, headers: Record<string, string>): Promise<Figures> {
  let [events, next, size] = [0, '0', 1];
  const startedAt = performance.now();
  while (size > 0) {
    const answer = (await (await fetch(`${stack.gatewayUrl}/v1/events?limit=100&after=${next}`, { headers })).json()) as { items: unknown[]; nextAfter: string };
    [next, size] = [answer.nextAfter, answer.items.length];
    events += size;
  }
  const perSecond = events / ((performance.now() - startedAt) / 1_000);
  tell(`feed: ${events} events, ${perSecond.toFixed(0)}/s`);
  return { 'feed: events there': events, 'feed: events/s, one reader': perSecond };
}
