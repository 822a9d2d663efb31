import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { eventually } from '../libs/servers/testing/eventually.js';
import { built } from './places.js';

const topics = (...options: string[]) => spawnSync(process.execPath, [built('tools/topics.js'), ...options], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });

describe('the task that makes the topics', () => {
  it('makes none until it is told for which installation', () => {
    const { status, stdout, stderr } = topics();
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain("required option '--profile <name>' not specified");
    expect(stderr).toContain('production keeps three replicas');
  });

  it('makes those of an outside system, and corrects them from then on', async () => {
    const system = `s-${randomUUID().slice(0, 8)}`;
    const name = `ticket.inbound-results.${system}.v1`;
    expect(topics('--profile', 'local', '--system', system).stdout).toContain(`created ${name}`);
    const admin = new Kafka({ brokers: process.env['KAFKA_BROKERS']!.split(','), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries: [{ name: 'retention.ms', value: '1' }] }] }).finally(() => admin.disconnect());
    // A broker tells of a change once it has heard of it from its controller.
    await eventually(() => topics('--profile', 'local').stdout.includes(`changed ${name}: retention.ms 1 -> 86400000`), 'it is corrected');
  });

  it('makes those of the profile that it is told', async () => {
    await eventually(() => {
      const { status, stdout, stderr } = topics('--profile', 'local');
      const ours = stderr.split('\n').filter((line) => line !== '' && !/ticket\.inbound(-results)?\./.test(line)); // other specs leave topics of outside systems behind
      expect([status, ours]).toEqual([0, []]);
      expect(stdout).toContain('topics: nothing to do');
    }, 'the broker has heard of all that was made and corrected before');
  });
});
