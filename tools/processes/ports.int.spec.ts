import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort, isFree, nextFreePort } from './ports.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function occupy(port: number, host = '127.0.0.1') {
  const server = createServer();
  servers.push(server);
  await once(server.listen(port, host), 'listening');
}

describe('ports', () => {
  it('in use are not free, on all addresses or on one', async () => {
    const port = await freePort();
    expect(await isFree(port)).toBe(true);
    await occupy(port, '0.0.0.0');
    expect(await isFree(port)).toBe(false);
  });

  it('that are wanted are given when they are free, and others when not', async () => {
    const wanted = await freePort();
    expect(await freePort({ wanted })).toBe(wanted);
    expect(await freePort({ wanted, taken: new Set([wanted]) })).not.toBe(wanted);
    await occupy(wanted);
    expect(await freePort({ wanted })).not.toBe(wanted);
  });

  it('lie below those that the system takes for outgoing connections', async () => {
    expect(await freePort()).toBeLessThan(32_768);
  });

  it('are taken in order when the first one is in use', async () => {
    const first = await freePort();
    await occupy(first);
    expect(await nextFreePort(first)).toBeGreaterThan(first);
  });
});
