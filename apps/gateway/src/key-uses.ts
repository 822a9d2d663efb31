import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ApiKeyStore } from './api-keys.store.js';

/** A key's use is written at most so often by an instance, ms. */
const quietMs = 60_000;
const writeMs = 1_000;
const maxKept = 10_000;

/** Writes down when keys were used last, apart from the requests that used them. What is not yet written when the process dies is lost. */
export class KeyUses {
  private readonly logger = new Logger('api-keys');
  private readonly waiting = new Map<string, number>();
  private readonly written = new LRUCache<string, number>({ max: maxKept });
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly store: Pick<ApiKeyStore, 'noteUses'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Writes what waits, every second. */
  start(): void {
    this.timer ??= setInterval(() => this.look(), writeMs);
    this.timer.unref();
  }

  /** Writes what waits, if the store takes it, and no more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    this.look();
    await this.writing;
  }

  /** Remembers that a key was used now. */
  note(keyId: string): void {
    const at = this.now();
    if (at - (this.written.get(keyId) ?? -Infinity) >= quietMs) this.waiting.set(keyId, at);
  }

  private look() {
    if (this.waiting.size === 0) return;
    this.writing ??= this.write()
      .catch((error: unknown) => this.logger.warn({ msg: 'uses of API keys are not written yet', err: error }))
      .finally(() => (this.writing = undefined));
  }

  private async write() {
    const uses = [...this.waiting];
    await this.store.noteUses(uses.map(([id, at]) => [id, new Date(at).toISOString()]));
    for (const [id, at] of uses) {
      this.written.set(id, at);
      this.waiting.delete(id);
    }
  }
}
