import { isUtf8 } from 'node:buffer';
import type { DeadLetterDecision } from '#contracts';
import { contentOf, textOf, type IncomingRecord, type Letter, type LetterState } from '#messaging';
import { cut, indented, printable, printableLines } from './printable.js';

export type Listed = Letter & { state: LetterState };

const columns: [title: string, of: (letter: Listed) => string, widest: number][] = [
  ['ID', ({ id }) => id, 200],
  ['TIME', ({ time }) => time, 24],
  ['STATE', ({ state }) => state, 10],
  ['REASON', ({ reason }) => reason, 24],
  ['ORGANISATION', ({ orgId }) => orgId ?? '-', 20],
  ['CONSUMER', ({ consumer }) => consumer ?? '-', 30],
  ['SOURCE', ({ source }) => (source ? `${source.topic}/${source.partition}/${source.offset}` : '-'), 60],
  ['TYPE', ({ type }) => type ?? '-', 32],
  ['KEY', ({ key }) => key ?? '-', 36],
  ['DETAIL', ({ detail }) => detail, 80],
];

/** A line for each letter below a line of titles. Safe for any terminal. */
export function table(letters: readonly Listed[]): string {
  const rows = [columns.map(([title]) => title), ...letters.map((letter) => columns.map(([, of, widest]) => cut(printable(of(letter)), widest)))];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows.map((row) => `${row.map((cell, at) => cell.padEnd(widths[at]!)).join('  ').trimEnd()}\n`).join('');
}

/** A value as JSON in one line, without a character that a terminal would obey. */
export const jsonLine = (value: unknown): string => `${printable(JSON.stringify(value))}\n`;

const mostHeaders = 50;
const longestHeader = 300;
const longestValue = 64 << 10;

/** All of a letter that a person wants to read. */
export function page(record: IncomingRecord, letter: Listed, decision: DeadLetterDecision | undefined): string {
  const { source } = letter;
  const facts: [string, string | null][] = [
    ['letter', letter.id],
    ['state', letter.state + (decision ? `, ${decision.at} by ${decision.by}${decision.reason === undefined ? '' : `: ${decision.reason}`}` : '')],
    ['reason', letter.reason],
    ['detail', letter.detail],
    ['time', letter.time],
    ['consumer', letter.consumer],
    ['attempts', letter.attempts],
    ['source', source && `${source.topic}/${source.partition}/${source.offset}`],
    ['organisation', letter.orgId],
    ['type', letter.type],
    ['replay of', letter.replayOf],
    ['not replayable', letter.hindrance],
    ['key', letter.key ?? '(none)'],
  ];
  const lines = facts.flatMap(([name, text]) => (text === null ? [] : [`${name.padEnd(15)} ${printable(cut(text, 2_000))}`]));
  return [...lines, '', ...headersOf(record), '', ...valueOf(record.value)].join('\n') + '\n';
}

function headersOf({ rawHeaders }: IncomingRecord): string[] {
  const shown = rawHeaders.slice(0, mostHeaders).map(({ key, value }) => `  ${printable(cut(textOf(key), 100))}: ${value === null ? '(null)' : printable(cut(textOf(value), longestHeader))}`);
  const left = rawHeaders.length - shown.length;
  return [`headers (${rawHeaders.length})`, ...shown, ...(left > 0 ? [`  … ${left} more: --json shows all`] : [])];
}

function valueOf(value: Buffer | null): string[] {
  if (value === null) return ['value (none)'];
  const kind = kindOf(value);
  const text = { JSON: () => indented(value.toString(), longestValue), text: () => value.subarray(0, longestValue).toString(), bytes: () => hex(value.subarray(0, 4 << 10)) }[kind]();
  const isCut = text.length > longestValue || (kind !== 'JSON' && value.length > (kind === 'text' ? longestValue : 4 << 10));
  return [`value (${value.length} bytes, ${kind})`, printableLines(cut(text, longestValue)), ...(isCut ? ['… cut: --value > file writes all of it'] : [])];
}

function kindOf(value: Buffer): 'JSON' | 'text' | 'bytes' {
  if (!isUtf8(value)) return 'bytes';
  const text = value.toString();
  try {
    JSON.parse(text);
    return 'JSON';
  } catch {
    return text.includes('\0') ? 'bytes' : 'text';
  }
}

const hex = (bytes: Buffer) =>
  Array.from({ length: Math.ceil(bytes.length / 16) }, (_, row) => {
    const part = bytes.subarray(row * 16, row * 16 + 16);
    const text = [...part].map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    return `${(row * 16).toString(16).padStart(6, '0')}  ${part.toString('hex').replace(/../g, '$& ').padEnd(48)} ${text}`;
  }).join('\n');

/** The whole letter for programs: bytes that are no UTF-8 as base64. */
export const whole = (record: IncomingRecord, letter: Listed, decision: DeadLetterDecision | undefined) => ({ ...letter, decision: decision ?? null, ...contentOf(record) });
