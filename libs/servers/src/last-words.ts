/** A line that a program printed. */
export interface Said {
  /** When, in ms since 1970. */
  readonly at: number;
  readonly severity: 'info' | 'warning' | 'error';
  readonly text: string;
}

/** How long before its end a program may have said something of it. */
export const momentsMs = 3_000;

const wordsTold = 5;

/** What a program said of its own end: of what it printed since `since`, errors before warnings, at most five, none twice; without complaints, its last three lines. */
export function lastWords(said: readonly Said[], since: number): string[] {
  const late = withoutRepeats(said.filter(({ at, text }) => at >= since && !isNoise(text)));
  const of = (severity: Said['severity']) => late.filter((line) => line.severity === severity);
  const complaints = [...of('error').slice(-wordsTold), ...of('warning').slice(-wordsTold)].slice(0, wordsTold);
  return (complaints.length > 0 ? complaints : late.slice(-3)).map(({ text }) => shorten(text));
}

/** Lines that differ in numbers only (times, process ids) say the same: the last one stands for all. */
const withoutRepeats = (said: readonly Said[]) => [...new Map(said.map((line) => [line.text.replaceAll(/\d+/g, '#'), line])).values()];

/** What runtimes put around an error: the frames of its stack, marks below source lines, closing brackets. */
const isNoise = (text: string) => /^\s*($|at |\.\.\. \d+ more|\^+$|[{}\]]|Node\.js v|requireStack)/.test(text) && !text.startsWith('{"');

function shorten(text: string): string {
  const line = text.replace(/\s*\n\s*/g, ' ');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/**
 * The lines of a server's log. A line without a time of its own belongs to the one before; the first ones have `start`. Times are UTC, as we
 * tell our servers to write them.
 */
export function readServerLog(text: string, start: number): Said[] {
  let at = start;
  return text.split('\n').map((line) => {
    at = timeIn(line) ?? at;
    return { at, severity: severityOf(line), text: line };
  });
}

function timeIn(line: string): number | undefined {
  const [, day, time, ms] = /(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{3}))?/.exec(line.slice(0, 60)) ?? [];
  return day && time ? Date.parse(`${day}T${time}.${ms ?? '000'}Z`) : undefined;
}

function severityOf(line: string): Said['severity'] {
  if (/\b(ERROR|FATAL|PANIC)\b|"s":"[EF]"|Exception\b|Error\b|^panic: /.test(line)) return 'error';
  return /\bWARN(ING)?\b|"s":"W"/.test(line) ? 'warning' : 'info';
}
