/** How far something is. */
export interface Step {
  /** What is under way, such as `tickets`. */
  label: string;
  done: number;
  total: number;
  /** What `perSecond` counts. */
  unit: string;
  /** Said at the end of the line. */
  remark?: string;
}

interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

const redrawMs = 200;
const lineMs = 5_000;
/** The rate is that of about so long. */
const windowMs = 10_000;

/** A line that tells how far it is, how fast it goes and how long it takes: redrawn on a terminal, else a new one every few seconds. */
export class Progress {
  #label = '';
  #drawnAt = -Infinity;
  #isDrawn = false;
  #samples: { at: number; done: number; counted: number }[] = [];

  constructor(
    private readonly output: Output = process.stderr,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** @param counted what the rate counts, when it is something else than `done` */
  tell(step: Step, counted = step.done): void {
    const now = this.clock();
    if (step.label !== this.#label) this.#begin(step.label);
    const isEnd = step.done === step.total && step.total > 0;
    if (!isEnd && now - this.#drawnAt < (this.output.isTTY ? redrawMs : lineMs)) return;
    this.#drawnAt = now;
    this.#samples.push({ at: now, done: step.done, counted });
    this.#samples = this.#samples.filter(({ at }, index) => at >= now - windowMs || index === this.#samples.length - 2);
    this.#draw(lineOf(step, this.#speed()));
  }

  /** A sentence of its own. */
  say(text: string): void {
    this.end();
    this.output.write(`${text}\n`);
  }

  /** Leaves the line as it is; what comes next begins a new one. */
  end(): void {
    if (this.#isDrawn && this.output.isTTY) this.output.write('\n');
    this.#isDrawn = false;
    this.#drawnAt = -Infinity;
    this.#label = '';
  }

  #begin(label: string) {
    this.end();
    this.#label = label;
    this.#samples = [];
  }

  /** Of the last seconds, a second. */
  #speed(): Speed {
    const [first, last] = [this.#samples[0]!, this.#samples.at(-1)!];
    const seconds = (last.at - first.at) / 1_000;
    return seconds > 0 ? { done: (last.done - first.done) / seconds, counted: (last.counted - first.counted) / seconds } : { done: 0, counted: 0 };
  }

  #draw(line: string) {
    this.#isDrawn = true;
    const fitting = line.slice(0, (this.output.columns ?? 1_000) - 1);
    this.output.write(this.output.isTTY ? `\r\u001b[2K${fitting}` : `${line}\n`);
  }
}

interface Speed {
  done: number;
  counted: number;
}

function lineOf({ label, done, total, unit, remark }: Step, speed: Speed): string {
  const share = total === 0 ? 1 : done / total;
  const bar = '█'.repeat(Math.floor(share * 20)).padEnd(20, '░');
  const rate = speed.counted > 0 ? `${amount(speed.counted)} ${unit}/s` : '';
  const left = speed.done > 0 && done < total ? `${duration((total - done) / speed.done)} left` : '';
  return [`${label} ${bar} ${Math.floor(share * 100)} %`, `${amount(done)} of ${amount(total)}`, rate, left, remark].filter(Boolean).join('  ');
}

/** `1,234`. */
export const amount = (value: number) => Math.round(value).toLocaleString('en-GB');

/** `42 s`, `3 min 20 s` or `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
