import type { IHeaders } from 'kafkajs';
import { DeskstreamNoAnswer } from '../errors.js';
import type { InboundResult } from '../types.js';

/** What became of a record. A refusal is one, too: it comes as `rejected` with its problem, and is not thrown. */
export type Outcome = InboundResult & { id: string };

interface Waiting {
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

interface Told {
  key: Buffer | null;
  value: Buffer | null;
  headers?: IHeaders;
}

/** Who waits for which record's outcome. */
export class Awaited {
  private readonly waiting = new Map<string, Set<Waiting>>();
  private broken: DeskstreamNoAnswer | undefined;

  /** The outcome of a record that is about to be sent, and a way to stop waiting for it. */
  one(id: string, { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined }): { result: Promise<Outcome>; forget: () => void } {
    const ends: (() => void)[] = [];
    const result = new Promise<Outcome>((resolve, reject) => {
      if (this.broken) return reject(this.broken);
      const waiting = { resolve, reject };
      const timer = setTimeout(() => reject(new DeskstreamNoAnswer(`No outcome of the record ${id} came within ${timeoutMs} ms`, { idempotencyKey: id })), timeoutMs);
      const abort = () => reject(signal!.reason);
      signal?.addEventListener('abort', abort, { once: true });
      this.add(id, waiting);
      ends.push(() => clearTimeout(timer), () => signal?.removeEventListener('abort', abort), () => this.remove(id, waiting));
    });
    result.catch(() => undefined); // whoever has stopped waiting need not hear of it
    return { result, forget: () => ends.forEach((end) => end()) };
  }

  /** A record of the results topic. Those of other processes, and what is none of ours to read, are passed over. */
  told({ key, value }: Told): void {
    const id = key?.toString() ?? '';
    const waiting = this.waiting.get(id);
    const result = waiting && resultIn(value);
    if (!result) return;
    for (const { resolve } of waiting) resolve({ id, ...result });
  }

  /** Nobody hears any more. */
  fail(message: string, cause?: unknown): void {
    this.broken = new DeskstreamNoAnswer(message, { cause });
    for (const [id, waiting] of this.waiting) for (const { reject } of waiting) reject(new DeskstreamNoAnswer(message, { cause, idempotencyKey: id }));
  }

  private add(id: string, waiting: Waiting) {
    const others = this.waiting.get(id);
    if (others) others.add(waiting);
    else this.waiting.set(id, new Set([waiting]));
  }

  private remove(id: string, waiting: Waiting) {
    const others = this.waiting.get(id);
    others?.delete(waiting);
    if (others?.size === 0) this.waiting.delete(id);
  }
}

function resultIn(value: Buffer | null): InboundResult | undefined {
  try {
    const result = JSON.parse(value?.toString() ?? '') as InboundResult | null;
    return typeof result?.outcome === 'string' ? result : undefined;
  } catch {
    return undefined;
  }
}
