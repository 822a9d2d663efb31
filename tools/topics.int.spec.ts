import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { built } from './places.js';

const topics = (...options: string[]) => spawnSync(process.execPath, [built('tools/topics.js'), ...options], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });

describe('the task that makes the topics', () => {
  it('makes none until it is told for which installation', () => {
    const { status, stdout, stderr } = topics();
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain("required option '--profile <name>' not specified");
    expect(stderr).toContain('production keeps three replicas');
  });

  it('makes those of the profile that it is told', () => {
    const { status, stdout, stderr } = topics('--profile', 'local');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('topics: nothing to do');
  });
});
