import { describe, expect, it } from '@jest/globals';
import type { Kind, Surroundings } from './server.js';
import { openFirst, type Sources } from './sources.js';

const surroundings = {} as Surroundings;
const opened = (kind: Kind, address: string) => Promise.resolve({ kind, address, pids: [], stop: async () => undefined });
const sources: Sources = {
  variable: 'KAFKA_BROKERS',
  named: (address) => opened('named', address),
  docker: () => opened('docker', 'container'),
  local: () => opened('local', 'process'),
};
const open = async (env: NodeJS.ProcessEnv, docker: () => Promise<boolean>) => {
  const { kind, address } = await openFirst(sources, { env, docker }, surroundings);
  return `${kind} ${address}`;
};

describe('where a server comes from', () => {
  const never = () => Promise.reject(new Error('nobody asked for Docker'));

  it('takes the server that the operator named, and does not ask for Docker then', async () => {
    expect(await open({ KAFKA_BROKERS: 'kafka.example:9092' }, never)).toBe('named kafka.example:9092');
  });

  it('takes a Docker engine that answers when nothing is named', async () => expect(await open({}, async () => true)).toBe('docker container'));

  it('takes local processes when there is neither', async () => expect(await open({}, async () => false)).toBe('local process'));

  it('takes a blank variable for none', async () => expect(await open({ KAFKA_BROKERS: ' ' }, async () => false)).toBe('local process'));

  it('does not take the other server’s variable', async () => {
    expect(await open({ MONGODB_URI: 'mongodb://db.example' }, async () => false)).toBe('local process');
  });
});
