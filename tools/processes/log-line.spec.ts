import { describe, expect, it } from '@jest/globals';
import { readLogLine } from './log-line.js';

const line = (fields: object) => JSON.stringify({ level: 30, time: 1, pid: 7, service: 'gateway', ...fields });

describe('a line of a log', () => {
  it('is told with its own fields but without those that every line has', () => {
    expect(readLogLine(line({ msg: 'listening', port: 3000, requestId: 'r1' }))).toEqual({ severity: 'info', text: 'listening  port=3000  requestId=r1' });
  });

  it.each([
    [30, 'info'],
    ['info', 'info'],
    [40, 'warning'],
    ['warn', 'warning'],
    [50, 'error'],
    ['fatal', 'error'],
  ])('of level %s is %s', (level, severity) => {
    expect(readLogLine(line({ level, msg: 'x' })).severity).toBe(severity);
  });

  it('of the Kafka client is never worse than info', () => {
    expect(readLogLine(line({ level: 50, scope: 'kafkajs', msg: 'Connection error' })).severity).toBe('info');
  });

  it('adds what the error says, once, and leaves its stack to the log file', () => {
    expect(readLogLine(line({ level: 50, msg: 'cannot store', err: { message: 'no primary', stack: 'at …' } })).text).toBe('cannot store  (no primary)');
    expect(readLogLine(line({ level: 50, msg: 'no primary', err: { message: 'no primary' } })).text).toBe('no primary');
  });

  it.each(['{"level":', '{"no":"message"}', 'Error: x', ''])('that is not one of ours is kept as it is: %s', (text) => {
    expect(readLogLine(text)).toEqual({ severity: 'info', text });
  });
});
