import { describe, expect, it } from '@jest/globals';
import { serverProperties } from './kafka-broker.js';
import { postgresqlConf } from './postgresql.js';

const settingsIn = (text: string) =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
      .map((line) => line.split(/\s*=\s*(.*)/s, 2).map((word) => word.replaceAll("'", ''))),
  ) as Record<string, string>;

describe('the configuration of Kafka', () => {
  const settings = settingsIn(serverProperties({ port: 21000, controller: 21001, data: '/data/kafka' }));

  it('listens on the loopback address only', () => {
    expect(settings['listeners']).toBe('BROKER://127.0.0.1:21000,CONTROLLER://127.0.0.1:21001');
    expect(settings['advertised.listeners']).toBe('BROKER://127.0.0.1:21000');
    expect(settings['controller.quorum.voters']).toBe('1@127.0.0.1:21001');
  });

  it('makes no topic by itself', () => expect(settings['auto.create.topics.enable']).toBe('false'));

  it('takes records of 1 MiB with their headers', () => expect(Number(settings['message.max.bytes'])).toBe(2 * 1024 * 1024));

  it('needs one replica of everything', () => {
    const needs = Object.entries(settings).filter(([name]) => /replication\.factor$|min\.isr$/.test(name));
    expect(needs).toHaveLength(5);
    expect(needs.every(([, value]) => value === '1')).toBe(true);
  });
});

describe('the configuration of PostgreSQL', () => {
  const settings = settingsIn(postgresqlConf({ port: 22000, memory: 'normal' }));

  it('listens on the loopback address only', () => {
    expect(settings).toMatchObject({ listen_addresses: '127.0.0.1', port: '22000', unix_socket_directories: '' });
  });

  it('gives nothing of durability away', () => {
    for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) expect(settings[name]).toBeUndefined();
  });

  it('has the document store and its ordered indexes loaded', () => {
    expect(settings['shared_preload_libraries']).toBe('pg_cron, pg_documentdb_core, pg_documentdb, pg_documentdb_extended_rum');
    expect(settings['documentdb.alternate_index_handler_name']).toBe('extended_rum');
  });

  it('takes less memory in tests', () => {
    expect(settings['shared_buffers']).toBe('1GB');
    expect(settingsIn(postgresqlConf({ port: 22000, memory: 'small' }))['shared_buffers']).toBe('128MB');
  });
});
