import { CommandResult, type DeadLetterReason } from '#contracts';
import { waiters } from './metrics.js';

/** Somebody who waits for the result of a command. */
export interface Waiter {
  /** The result, or undefined when it did not come in time. */
  readonly result: Promise<CommandResult | undefined>;
  /** The result, once it has come. */
  readonly arrived: CommandResult | undefined;
  /** Waits no more. */
  leave(): void;
}

/** A result that cannot be read. */
export class Unreadable extends Error {
  constructor(
    readonly reason: Extract<DeadLetterReason, 'not-json' | 'schema-invalid'>,
    detail: string,
  ) {
    super(detail);
  }
}

class Waiting implements Waiter {
  readonly result: Promise<CommandResult | undefined>;
  arrived: CommandResult | undefined;
  private settle!: (result: CommandResult | undefined) => void;
  private readonly timer: NodeJS.Timeout;

  constructor(
    patienceMs: number,
    readonly attempt: string,
    readonly leave: () => void,
  ) {
    this.result = new Promise((resolve) => (this.settle = resolve));
    this.timer = setTimeout(() => this.settle(undefined), patienceMs);
  }

  tell(result: CommandResult) {
    this.arrived = result;
    this.end();
  }

  end() {
    clearTimeout(this.timer);
    this.settle(this.arrived);
  }
}

/** Requests that wait for results, by command id; two requests under one key wait for the same. */
export class ResultWaiters {
  private readonly waiting = new Map<string, Set<Waiting>>();

  /** Waits for a command's result from now on. Its owner must leave. @param attempt names this sending of the command */
  expect(commandId: string, attempt: string, patienceMs: number): Waiter {
    const waiter = new Waiting(patienceMs, attempt, () => this.forget(commandId, waiter));
    const others = this.waiting.get(commandId);
    if (others) others.add(waiter);
    else this.waiting.set(commandId, new Set([waiter]));
    waiters.inc();
    return waiter;
  }

  /**
   * Gives a result to those who wait for it: to all but the one whose sending it answers it is a repeat's answer. The results of other instances'
   * commands are passed over unread.
   * @throws Unreadable when somebody waits for it and it is none
   */
  tell(commandId: string, value: Buffer | null, attempt?: string): void {
    const those = this.waiting.get(commandId);
    if (those === undefined) return;
    const result = readResult(commandId, value);
    const [first] = those;
    const own = attempt ?? first!.attempt; // what was set aside answers no sending in particular
    for (const waiter of those) waiter.tell(waiter.attempt === own ? result : { ...result, duplicate: true });
  }

  private forget(commandId: string, waiter: Waiting) {
    const those = this.waiting.get(commandId);
    if (!those?.delete(waiter)) return;
    waiter.end();
    waiters.dec();
    if (those.size === 0) this.waiting.delete(commandId);
  }
}

function readResult(commandId: string, value: Buffer | null): CommandResult {
  const parsed = CommandResult.safeParse(parseJson(value));
  if (!parsed.success) throw new Unreadable('schema-invalid', parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  if (parsed.data.commandId !== commandId) throw new Unreadable('schema-invalid', 'the key is not the command id');
  return parsed.data;
}

function parseJson(value: Buffer | null): unknown {
  try {
    return JSON.parse(value?.toString() ?? '');
  } catch (error) {
    throw new Unreadable('not-json', error instanceof Error ? error.message : String(error));
  }
}
