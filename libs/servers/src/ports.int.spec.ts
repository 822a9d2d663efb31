import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isFree, onFreePorts } from './ports.js';

const strangers: Server[] = [];
afterEach(() => strangers.splice(0).forEach((server) => server.close()));

/** Somebody who was quicker. */
const takes = (port: number) =>
  new Promise<void>((resolve) => {
    strangers.push(createServer().listen(port, '127.0.0.1', resolve));
  });

describe('ports for a server', () => {
  it('are free, and below those that systems give to outgoing connections', async () => {
    const { value, ports } = await onFreePorts(2, async (numbers) => Promise.all(numbers.map(isFree)));
    expect(value).toEqual([true, true]);
    expect(ports.numbers.every((port) => port >= 20_000 && port < 32_768)).toBe(true);
    await ports.release();
  });

  it('are others when somebody takes one between choice and use', async () => {
    const tried: number[] = [];
    const { value, ports } = await onFreePorts(1, async ([port = 0]) => {
      tried.push(port);
      if (tried.length > 1) return port;
      await takes(port);
      throw new Error('address in use');
    });
    expect(tried).toHaveLength(2);
    expect(value).toBe(tried[1]);
    expect(tried[1]).not.toBe(tried[0]);
    await ports.release();
  });

  it('are not tried again when the server fails for another reason', async () => {
    let tries = 0;
    const start = () => Promise.reject(new Error(`bad configuration ${++tries}`));
    await expect(onFreePorts(1, start)).rejects.toThrow('bad configuration 1');
    expect(tries).toBe(1);
  });
});
