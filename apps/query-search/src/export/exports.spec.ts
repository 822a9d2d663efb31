import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { exportText } from './export-text.js';
import { Exports, runningExports } from './exports.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log']));

/** A source that counts the pieces it was asked for, 40 kB each. */
function source(pieces: number, trouble?: Error) {
  const told = { asked: 0, ended: false };
  async function* read(): AsyncGenerator<string, void> {
    try {
      for (; told.asked < pieces; ) {
        told.asked += 1;
        await new Promise(setImmediate); // as a store answers
        if (trouble && told.asked === 3) throw trouble;
        yield 'x'.repeat(40_000);
      }
    } finally {
      told.ended = true;
    }
  }
  return { told, read: read() };
}

const withLimits = (limits: Partial<Exports['limits']>) => Object.assign(new Exports(), { limits: { ...new Exports().limits, ...limits } });
const running = async () => (await runningExports.get()).values[0]!.value;
const overloaded = { problem: { type: '/problems/overloaded', status: 503 }, headers: { 'retry-after': '10' } };

describe('a running export', () => {
  it('tells everything', async () => {
    const { told, read } = source(10);
    expect(await text(await new Exports().open(read))).toHaveLength(400_000);
    expect(told).toEqual({ asked: 10, ended: true });
    expect(await running()).toBe(0);
  });

  it('reads ahead no further than its client may want next', async () => {
    const { told, read } = source(1_000);
    const stream = await new Exports().open(read);
    await once(stream, 'readable');
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(told.asked).toBeLessThanOrEqual(3);
    stream.destroy();
    await once(stream, 'close');
    expect(told.ended).toBe(true);
  });

  it('ends with an error where its source does, never as if it were whole', async () => {
    const { read } = source(10, new Error('store gone'));
    await expect(text(await new Exports().open(read))).rejects.toThrow('store gone');
    expect(await running()).toBe(0);
  });

  it('that cannot begin is refused and takes no place', async () => {
    const exports = withLimits({ most: 1 });
    const failing = () => (async function* (): AsyncGenerator<string, void> { await Promise.reject(new Error('no store')); yield ''; })();
    for (let i = 0; i < 3; i++) await expect(exports.open(failing())).rejects.toThrow('no store');
    expect(await text(await exports.open(source(1).read))).toHaveLength(40_000);
  });

  it('that nobody reads from is ended', async () => {
    const exports = withLimits({ most: 1, unreadMs: 2_000 });
    const { told, read } = source(1_000);
    const stream = await exports.open(read);
    await once(stream, 'readable');
    await expect(exports.open(source(1).read)).rejects.toMatchObject(overloaded);
    await expect(once(stream, 'close')).rejects.toThrow('nobody reads');
    await eventually(async () => told.ended && (await running()) === 0, 'its place is free');
  });

  it('that does not end is ended', async () => {
    const stream = await withLimits({ longestMs: 500 }).open(source(Infinity).read);
    stream.resume();
    await expect(once(stream, 'end')).rejects.toThrow('too long');
  });
});

describe('exports of a process', () => {
  it('are four at most, whether they began or wait for their first piece', async () => {
    const exports = new Exports();
    const opening = await Promise.allSettled(Array.from({ length: 6 }, () => exports.open(source(2).read)));
    const open = opening.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(open).toHaveLength(4);
    expect(opening.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))).toMatchObject([overloaded, overloaded]);
    open[0]!.destroy();
    await once(open[0]!, 'close');
    for (const stream of [...open.slice(1), await exports.open(source(2).read)]) stream.destroy();
    await eventually(async () => (await running()) === 0, 'their places are free');
  });

  it('may finish when the process stops, and are broken off where they do not; no more begin', async () => {
    const exports = withLimits({ graceMs: 2_000 });
    const [quick, slow] = [await exports.open(source(5).read), await exports.open(source(1_000).read)];
    const broken = once(slow, 'close');
    const [whole] = await Promise.all([text(quick), expect(broken).rejects.toThrow('the service stops'), exports.beforeApplicationShutdown()]);
    expect(whole).toHaveLength(200_000);
    await expect(exports.open(source(1).read)).rejects.toMatchObject(overloaded);
  });
});

describe('the text of an export', () => {
  const ticket = { ticket: '{"id":"1","number":7,"title":"=1","requester":null,"assignee":null,"tags":["a","b"],"customFields":{},"createdBy":{}}', description: 'a "b"\nc' };
  const all = async (format: 'csv' | 'ndjson', ...pieces: (typeof ticket)[][]) => {
    const told: string[] = [];
    async function* given() { yield* pieces; }
    for await (const piece of exportText(format, given())) told.push(piece);
    return told;
  };

  it('comes piece by piece, none of them empty', async () => {
    expect((await all('ndjson', [ticket, ticket], [], [ticket])).map((piece) => piece.split('\n').length - 1)).toEqual([2, 1]);
    expect(await all('csv', [], [])).toEqual([expect.stringMatching(/^\ufeffnumber,id,.*\r\n$/)]);
    expect(await all('ndjson', [])).toEqual([]);
  });

  it('has a JSON object a line', async () => {
    const [line] = await all('ndjson', [ticket]);
    expect(JSON.parse(line!)).toEqual({ ...(JSON.parse(ticket.ticket) as object), description: ticket.description });
  });

  it('has its byte order mark and header once', async () => {
    const [first, second] = await all('csv', [ticket], [ticket]);
    expect(first!.split('\ufeff')).toHaveLength(2);
    expect(first!.slice(first!.indexOf('\r\n') + 2)).toBe(second);
    expect(second).toBe('7,1,\'=1,"a ""b""\nc",,,,,,,,,,"a,b",{},,,,,,,,,,,,,\r\n');
  });
});
