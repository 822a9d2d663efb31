import { styleText } from 'node:util';
import type { LogLine } from '../processes/log-line.js';

const colours = { info: 'reset', warning: 'yellow', error: 'red' } as const;

/** What `npm start` tells: one line for each thing that happens, with the time and the part it is about. */
export class Terminal {
  constructor(private readonly print: (text: string) => void = (text) => void process.stdout.write(text)) {}

  /** Something happened to a part. */
  tell(part: string, text: string, severity: LogLine['severity'] = 'info') {
    const time = new Date().toTimeString().slice(0, 8);
    this.print(`${styleText('dim', time)}  ${styleText('bold', part.padEnd(15))} ${styleText(colours[severity], text)}\n`);
  }

  /** Lines that belong to the one before. */
  detail(lines: readonly string[]) {
    for (const line of lines) this.print(`${' '.repeat(26)}${styleText('dim', line)}\n`);
  }

  /** Text of its own, such as the addresses. */
  block(text: string) {
    this.print(`\n${text}\n\n`);
  }
}
