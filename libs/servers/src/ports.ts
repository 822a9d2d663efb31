import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { type Hold, tryHold } from './hold.js';

/**
 * Below the range from which systems take the ports of outgoing connections (32768 and up on Linux). So no client that knocks at a dead
 * server's port takes that port itself, and the server comes back on the port that its clients know.
 */
const range = { from: 20_000, to: 30_000 };

/** Ports of 127.0.0.1 that this process may give to its servers. No other run of ours chooses them until they are released. */
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

async function reserve(count: number): Promise<Ports> {
  const holds = new Map<number, Hold>();
  while (holds.size < count) {
    const port = randomInt(range.from, range.to);
    const answer = await tryHold(`port ${port}`);
    if (!('hold' in answer)) continue;
    if (await isFree(port)) holds.set(port, answer.hold);
    else await answer.hold.release();
  }
  return {
    numbers: [...holds.keys()],
    release: async () => void (await Promise.all([...holds.values()].map((hold) => hold.release()))),
  };
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
