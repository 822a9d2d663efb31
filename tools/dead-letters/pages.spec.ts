import { describe, expect, it } from '@jest/globals';
import { readId, readLetter, type IncomingRecord } from '#messaging';
import { jsonLine, page, table, whole } from './pages.js';
import { indented, printable } from './printable.js';

const hostile = '\u001b[2J\u009b31m\u202egnp.exe\u0007\r\nrow\u2028\u{e0041}';
/** Whatever a terminal obeys, or turns around, but the ends of our own lines. */
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const told = { dead_reason: 'not-json', dead_detail: hostile, dead_topic: 'ticket.commands.v1', dead_partition: '3', dead_offset: '17', dead_time: '2026-01-02T03:04:05.678Z', dead_consumer: 'ticket-command', dead_attempts: '1' };

function record({ value = null, key = null, headers = {} }: { value?: Buffer | null; key?: Buffer | null; headers?: Record<string, string> } = {}): IncomingRecord {
  const all = { ...told, ...headers };
  const rawHeaders = Object.entries(all).map(([name, text]) => ({ key: Buffer.from(name), value: Buffer.from(text) }));
  return { topic: 'dead.ticket-command.ticket.commands.v1', partition: 3, offset: '9', timestamp: '1767323045678', key, value, headers: all, rawHeaders };
}

const outputs = (of: IncomingRecord) => {
  const letter = { ...readLetter(of), state: 'waiting' as const };
  return [table([letter]), jsonLine(letter), page(of, letter, undefined), jsonLine(whole(of, letter, undefined))];
};

describe('what is printed of a letter', () => {
  const values = [hostile, `{"a": "${hostile.replaceAll(/[\u0000-\u001f]/g, '')}"}`].map((text) => Buffer.from(text));
  it.each(values)('holds nothing that a terminal obeys', (value) => {
    const of = record({ key: Buffer.from(hostile), value, headers: { ce_orgid: hostile, ce_type: hostile, [hostile]: hostile } });
    for (const text of outputs(of)) expect(text.replaceAll('\n', '')).not.toMatch(obeyed);
  });

  it('is the same JSON for programs', () => {
    const of = record({ key: Buffer.from(hostile) });
    expect(JSON.parse(outputs(of)[1]!)).toMatchObject({ key: hostile, detail: hostile });
  });

  it('says when there is no key and no value', () => {
    expect(outputs(record())[2]).toMatch(/key +\(none\)[^]*value \(none\)/);
    expect(JSON.parse(outputs(record())[3]!)).toMatchObject({ key: null, value: null });
  });

  it('is short, however large the letter', () => {
    const headers = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`h${at}`, 'x']));
    const text = outputs(record({ headers, value: Buffer.alloc(2 << 20, 'x') }))[2]!;
    expect(text.length).toBeLessThan(100_000);
    expect(text).toContain('9958 more');
    expect(text).toContain('--value > file');
  });

  it('is hexadecimal where the value is no text', () => expect(outputs(record({ value: Buffer.from([0xff, 0, 65]) }))[2]).toContain('000000  ff 00 41'));

  it('of JSON keeps every digit and every repeated name', () =>
    expect(indented('{"n":12345678901234567890,"n":[],"t":"a,{\\"b"}', 1_000)).toBe('{\n  "n": 12345678901234567890,\n  "n": [],\n  "t": "a,{\\"b"\n}'));

  it('of the deepest JSON is still a page', () => expect(outputs(record({ value: Buffer.from('['.repeat(20_000) + ']'.repeat(20_000)) }))[2]!.length).toBeLessThan(100_000));

  it('leaves words of all languages alone', () => expect(printable('Grüße 東京 🙂')).toBe('Grüße 東京 🙂'));
});

describe('a letter', () => {
  it('goes back only where its topic says it came from', () => {
    const { source, hindrance } = readLetter(record({ headers: { dead_topic: 'ticket.events.v1' } }));
    expect([source, hindrance]).toEqual([null, expect.stringContaining('another topic')]);
  });

  it('without our headers is unreadable, not lost', () =>
    expect(readLetter(record({ headers: { dead_offset: 'x' } }))).toMatchObject({ reason: 'unreadable', time: '2026-01-02T03:04:05.678Z', source: null }));

  it('says whose it is by its headers, else by its value', () => {
    const value = Buffer.from('{"orgId":"acme"}');
    expect([readLetter(record({ value })).orgId, readLetter(record({ value, headers: { ce_orgid: 'globex' } })).orgId, readLetter(record()).orgId]).toEqual(['acme', 'globex', null]);
  });

  it('is named by topic, partition and offset', () => {
    expect(readId('dead.ticket-command.ticket.commands.v1/3/17')).toEqual({ topic: 'dead.ticket-command.ticket.commands.v1', partition: 3, offset: 17 });
    for (const wrong of ['ticket.commands.v1/3/17', 'dead.a.b/3', 'dead.a.b/-1/2', 'dead.a.b/1/2/3', '']) expect(readId(wrong)).toBeUndefined();
  });
});
