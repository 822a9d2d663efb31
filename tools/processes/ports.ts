import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which systems take ports for outgoing connections: such a connection could otherwise
// sit on a service's port in the moment between its death and its restart.
const lowest = 20_000;
const highest = 31_999;

/** Whether a server could listen on this port of the loopback addresses now. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'));
}

/** A free loopback port, never one of `taken`; `wanted` is used when it is free. */
export async function freePort({ wanted, taken = new Set() }: { wanted?: number; taken?: ReadonlySet<number> } = {}): Promise<number> {
  const isUsable = async (port: number) => !taken.has(port) && (await isFree(port));
  if (wanted !== undefined && (await isUsable(wanted))) return wanted;
  for (let tries = 0; tries < 1_000; tries++) {
    const port = randomInt(lowest, highest + 1);
    if (await isUsable(port)) return port;
  }
  throw new Error(`no free port between ${lowest} and ${highest}`);
}

/** The first free loopback port from `from` on. */
export async function nextFreePort(from: number): Promise<number> {
  for (let port = from; port <= 65_535; port++) if (await isFree(port)) return port;
  throw new Error(`no free port from ${from} on`);
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Only a port in use counts: a machine without IPv6 refuses the address, which is no obstacle.
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
