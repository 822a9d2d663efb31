import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readSystemTopics, readTopics, systemsAmong } from './topics.js';

const file = 'deploy/topics.yaml';
const day = 86_400_000;

describe('topics', () => {
  it('are those of the contract', async () => {
    const topics = Object.fromEntries((await readTopics(file, 'local')).map(({ name, ...rest }) => [name, rest]));
    expect(Object.keys(topics).sort()).toEqual([
      'dead-letter-decisions.v1',
      'dead.assignment-notification.directory.v1',
      'dead.assignment-notification.ticket.command-results.v1',
      'dead.assignment-notification.ticket.deadlines.v1',
      'dead.assignment-notification.ticket.events.v1',
      'dead.gateway.ticket.command-results.v1',
      'dead.gateway.ticket.deadlines.v1',
      'dead.query-search.ticket.command-results.v1',
      'dead.query-search.ticket.deadlines.v1',
      'dead.query-search.ticket.events.v1',
      'dead.ticket-command.ticket.commands.v1',
      'directory.v1',
      'notices.v1',
      'ticket.command-results.v1',
      'ticket.commands.v1',
      'ticket.deadlines.v1',
      'ticket.events.v1',
    ]);
    const { 'dead-letter-decisions.v1': decisions, ...others } = topics;
    expect(decisions).toMatchObject({ partitions: 1, config: { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(30 * day) } });
    expect(Object.values(others).every(({ partitions }) => partitions === 12)).toBe(true);
    expect(topics['ticket.commands.v1']!.config['retention.ms']).toBe(String(7 * day));
    expect(topics['ticket.command-results.v1']!.config['retention.ms']).toBe(String(day));
    expect(topics['ticket.events.v1']!.config['retention.ms']).toBe('-1');
    expect(topics['ticket.deadlines.v1']!.config).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '-1' });
    expect(topics['directory.v1']!.config).toMatchObject({ 'cleanup.policy': 'compact', 'min.compaction.lag.ms': String(day) });
    expect(topics['dead.gateway.ticket.command-results.v1']!.config['retention.ms']).toBe(String(7 * day));
  });

  it('of dead letters take more than their sources', async () => {
    const topics = await readTopics(file, 'local');
    const limit = (name: string) => Number(topics.find((topic) => topic.name === name)!.config['max.message.bytes']);
    for (const { name } of topics.filter((topic) => topic.name.startsWith('dead.'))) {
      const origin = topics.find((topic) => !topic.name.startsWith('dead.') && name.endsWith(topic.name))!.name;
      expect(limit(name)).toBeGreaterThanOrEqual(2 * limit(origin));
    }
  });

  it('of an outside system take what is too large for us, and their dead letters twice that', async () => {
    const topics = (await readSystemTopics(file, 'local'))('a.$&_B');
    expect(topics).toEqual([
      { name: 'ticket.inbound.a.$&_B.v1', partitions: 12, replication: 1, config: expect.objectContaining({ 'retention.ms': String(7 * day), 'max.message.bytes': String(4 << 20) }) },
      { name: 'ticket.inbound-results.a.$&_B.v1', partitions: 12, replication: 1, config: expect.objectContaining({ 'retention.ms': String(day) }) },
      { name: 'ticket.outbound.a.$&_B.v1', partitions: 12, replication: 1, config: expect.objectContaining({ 'retention.ms': String(7 * day), 'max.message.bytes': String(1 << 20) }) },
      { name: 'dead.ticket-command.ticket.inbound.a.$&_B.v1', partitions: 1, replication: 1, config: expect.objectContaining({ 'retention.ms': String(7 * day), 'max.message.bytes': String(8 << 20) }) },
    ]);
  });

  it('tell which outside systems there are', async () => {
    const ofSystem = await readSystemTopics(file, 'local');
    const names = ['ticket.inbound.a.v1', 'dead.ticket-command.ticket.inbound.b.v1.v1', 'ticket.inbound-results.c.v2', 'ticket.inbound..v1', 'ticket.commands.v1', 'dead.ticket-command.ticket.commands.v1', 'x.ticket.inbound.d.v1'];
    expect(systemsAmong(names, ofSystem)).toEqual(['a', 'b.v1']);
    expect(systemsAmong(ofSystem('erp').map(({ name }) => name), ofSystem)).toEqual(['erp']);
  });

  it('are replicated in production', async () => {
    for (const { replication, config } of [...(await readTopics(file, 'production')), ...(await readSystemTopics(file, 'production'))('erp')]) {
      expect(replication).toBe(3);
      expect(config['min.insync.replicas']).toBe('2');
    }
  });

  describe('of a file', () => {
    const folder = mkdtemp(join(tmpdir(), 'topics-'));
    afterAll(async () => rm(await folder, { recursive: true }));

    it('with an unknown profile or field are refused', async () => {
      await expect(readTopics(file, 'staging')).rejects.toThrow('no profile staging, only local, production');
      const bad = join(await folder, 'bad.yaml');
      await writeFile(bad, 'partitions: 1\nprofiles: {}\ntopics: { a: { partition: 3 } }\n');
      await expect(readTopics(bad, 'local')).rejects.toThrow('partition');
    });
  });
});
