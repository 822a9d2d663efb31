import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { type Hold, tryHold } from './hold.js';

/**
 * Below the range from which systems take the ports of outgoing connections (32768 and up on Linux). So no client that knocks at a dead
 * server's port takes that port itself, and the server comes back on the port that its clients know.
 */
const range = { from: 20_000, to: 32_000 };

/** Ports of the loopback addresses that this process may give to its servers. No other run of ours chooses them until they are released. */
export interface Ports {
  readonly numbers: readonly number[];
  release(): Promise<void>;
}

/** Runs `start` with free ports; when it fails and somebody else sits on one of them, tries again with other ones. */
export async function onFreePorts<T>(count: number, start: (ports: readonly number[]) => Promise<T>): Promise<{ value: T; ports: Ports }> {
  for (let attempt = 1; ; attempt++) {
    const ports = await reserve(count);
    try {
      return { value: await start(ports.numbers), ports };
    } catch (error) {
      const free = await Promise.all(ports.numbers.map(isFree));
      await ports.release();
      if (free.every(Boolean) || attempt === 5) throw error;
    }
  }
}

/** Free ports, kept from other runs of ours until they are released. */
async function reserve(count: number): Promise<Ports> {
  const holds = new Map<number, Hold>();
  while (holds.size < count) {
    const port = randomInt(range.from, range.to);
    const hold = await take(port);
    if (hold) holds.set(port, hold);
  }
  return {
    numbers: [...holds.keys()],
    release: async () => void (await Promise.all([...holds.values()].map((hold) => hold.release()))),
  };
}

/** A free port: `wanted` when that is free. No run of ours chooses it again, in this process or another, until this process ends. */
export async function freePort(wanted?: number): Promise<number> {
  if (wanted !== undefined && (await take(wanted))) return wanted;
  return (await reserve(1)).numbers[0]!;
}

/** The first free port from `from` on, kept like `freePort`. */
export async function nextFreePort(from: number): Promise<number> {
  for (let port = from; port <= 65_535; port++) if (await take(port)) return port;
  throw new Error(`no free port from ${from} on`);
}

async function take(port: number): Promise<Hold | undefined> {
  const answer = await tryHold(`port ${port}`);
  if (!('hold' in answer)) return undefined;
  if (await isFree(port)) return answer.hold;
  await answer.hold.release();
  return undefined;
}

/** Whether a server could listen on this port of the loopback addresses now. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'));
}

function canListen(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    // Only a port in use counts: a machine without IPv6 refuses the address, which is no obstacle.
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'EADDRINUSE' && code !== 'EACCES'));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
