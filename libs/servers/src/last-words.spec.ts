import { describe, expect, it } from '@jest/globals';
import { lastWords, readServerLog, type Said } from './last-words.js';

const line = (at: number, severity: Said['severity'], text: string): Said => ({ at, severity, text });

describe('the last words of a program', () => {
  it('are what it printed in its last moments, not what it complained of long before', () => {
    const said = [line(1_000, 'warning', 'the broker is slow'), line(9_000, 'error', 'no more memory'), line(9_100, 'info', 'bye')];
    expect(lastWords(said, 8_000)).toEqual(['no more memory']);
  });

  it('are errors before warnings, five at most', () => {
    const warnings = Array.from({ length: 9 }, (_, n) => line(2_000 + n, 'warning', `warning ${'abcdefghi'[n]}`));
    expect(lastWords([line(1_000, 'error', 'first'), ...warnings, line(3_000, 'error', 'second')], 0)).toEqual([
      'first',
      'second',
      'warning e',
      'warning f',
      'warning g',
    ]);
  });

  it('are its last three lines when it complained of nothing', () => {
    const said = ['a', 'b', 'c', '    at stack (file:1)', 'd'].map((text, n) => line(n, 'info', text));
    expect(lastWords(said, 0)).toEqual(['b', 'c', 'd']);
  });

  it('say nothing twice', () => {
    const said = [7, 8].map((pid) => line(pid, 'error', `10:00:0${pid} [${pid}] FATAL: the postmaster is gone`));
    expect(lastWords(said, 0)).toEqual(['10:00:08 [8] FATAL: the postmaster is gone']);
  });

  it('are none when it was silent', () => {
    expect(lastWords([line(1_000, 'error', 'long ago')], 8_000)).toEqual([]);
  });
});

describe('the log of a server', () => {
  const start = Date.parse('2026-11-21T10:00:00Z');

  it('tells when each line was printed, in the manner of each server', () => {
    const text = [
      'no time',
      '2026-11-21T10:00:01,250 WARN slow (kafka)',
      'java.lang.OutOfMemoryError: heap',
      '2026-11-21 10:00:02.500 UTC [7] LOG:  ready',
      '2026-11-21T10:00:03.750Z\tERROR\tlistener.go',
      '{"t":{"$date":"2026-11-21T10:00:04.000+00:00"},"s":"W","c":"NETWORK"}',
    ];
    expect(readServerLog(text.join('\n'), start).map(({ at, severity }) => [at - start, severity])).toEqual([
      [0, 'info'],
      [1_250, 'warning'],
      [1_250, 'error'],
      [2_500, 'info'],
      [3_750, 'error'],
      [4_000, 'warning'],
    ]);
  });
});
