import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { ProblemError } from '#observability';

export const runningExports = new Gauge({ name: 'deskstream_running_exports', help: 'Exports that are being read' });

/** Exports at once, and for how long, ms: one that nobody reads from is ended, and one that does not end; a stop waits a moment. */
const limits = { most: 4, unreadMs: 60_000, longestMs: 3_600_000, graceMs: 5_000 };

/**
 * Exports that run in this process. They are read as fast as their clients take them. One that cannot be finished ends without its end, so that
 * nobody takes it for whole.
 */
@Injectable()
export class Exports implements BeforeApplicationShutdown {
  readonly limits = limits;
  private readonly logger = new Logger('export');
  private readonly running = new Set<Readable>();
  private taken = 0;
  private isStopping = false;

  /** Begins an export: its first piece has been read. @throws ProblemError overloaded, and whatever keeps it from beginning */
  async open(pieces: AsyncGenerator<string, void>): Promise<Readable> {
    if (this.isStopping || this.taken >= this.limits.most) throw new ProblemError('overloaded', 'Too many exports are running.', {}, { 'retry-after': '10' });
    this.take(1);
    try {
      const first = await pieces.next();
      return this.started(this.limits, (watch) => watched(first, pieces, watch));
    } catch (error) {
      this.take(-1);
      throw error;
    }
  }

  /** Those that are nearly done may finish. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    const deadline = Date.now() + this.limits.graceMs;
    while (this.running.size > 0 && Date.now() < deadline) await delay(50);
    for (const stream of this.running) stream.destroy(new Error('the service stops'));
  }

  private started({ unreadMs, longestMs }: typeof limits, source: (watch: Watch) => AsyncGenerator<string, void>): Readable {
    const endIn = (ms: number, why: string) => setTimeout(() => stream.destroy(new Error(why)), ms).unref();
    const stream: Readable = Readable.from(source(() => endIn(unreadMs, 'nobody reads')), { objectMode: false });
    const end = endIn(longestMs, 'it takes too long');
    this.running.add(stream);
    stream.on('error', (err) => this.logger.warn({ msg: 'export broken off', err }));
    stream.once('close', () => {
      clearTimeout(end);
      this.running.delete(stream);
      this.take(-1);
    });
    return stream;
  }

  private take(places: 1 | -1) {
    this.taken += places;
    runningExports.set(this.taken);
  }
}

type Watch = () => NodeJS.Timeout;

/** The pieces, each watched until the next one is asked for. */
async function* watched(first: IteratorResult<string, void>, rest: AsyncGenerator<string, void>, watch: Watch): AsyncGenerator<string, void> {
  try {
    for (let piece = first; !piece.done; piece = await rest.next()) {
      const unread = watch();
      try {
        yield piece.value;
      } finally {
        clearTimeout(unread);
      }
    }
  } finally {
    await rest.return();
  }
}
