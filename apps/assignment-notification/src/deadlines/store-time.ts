import { Inject, Injectable } from '@nestjs/common';
import { guarded, type Database } from '#persistence';
import { STORE } from '../store.js';

/** By so much the store's clock and the time that passes here may differ from one reading to the next, ms. */
const mostDrift = 2_000;

/**
 * The time by which deadlines are judged: the store's, the same for all instances, whatever their own clocks say. Between readings it goes on by a clock that nobody
 * sets. Where it is suddenly later than that, it is believed once another reading says the same: what fires early cannot be taken back, what is half a second late can.
 */
@Injectable()
export class StoreTime {
  private told = 0;
  private toldAt = -Infinity;
  /** A reading that was later than it could be. */
  private doubted: { told: number; at: number } | undefined;

  constructor(@Inject(STORE) private readonly store: Database) {}

  /** Reads it for the first time: before that there is none. @throws StoreFault */
  async prepare(): Promise<void> {
    this.take(await this.ask());
  }

  /** Epoch ms, as far as the last reading tells; never ahead of the store but by its drift. */
  now(): number {
    return this.told + performance.now() - this.toldAt;
  }

  /** Reads it again. @throws StoreFault */
  async read(): Promise<number> {
    const told = await this.ask();
    if (told - this.now() <= mostDrift || this.isConfirmed(told)) this.take(told);
    else this.doubted = { told, at: performance.now() };
    return this.now();
  }

  private async ask(): Promise<number> {
    const { localTime } = await guarded(() => this.store.db.command({ hello: 1 }));
    return (localTime as Date).getTime();
  }

  /** The time of an answer is that of when it comes: rather late than early. */
  private take(told: number): void {
    [this.told, this.toldAt, this.doubted] = [told, performance.now(), undefined];
  }

  private isConfirmed(told: number): boolean {
    return this.doubted !== undefined && Math.abs(told - this.doubted.told - (performance.now() - this.doubted.at)) <= mostDrift;
  }
}
