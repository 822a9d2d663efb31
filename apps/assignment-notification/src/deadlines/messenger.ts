import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { RecordProducer } from '#messaging';
import { deadlineTroubles } from '../metrics.js';
import { WorkLoop } from '../work-loop.js';
import { recordOf } from './outgoing.js';
import { unsentOf, WatchedTickets, type Unsent, type Write } from './watched-tickets.store.js';

/** Tickets of which something is sent together. */
const handful = 500;
/** Tickets that are remembered; of others the store knows. */
const mostRemembered = 5_000;
/** Between looks for what others have left unsent, ms: what is there at two of them is nobody's. */
const idleMs = 1_000;
const troubledMs = 1_000;

/** Sends what was stored: at once what this process has stored, and after a while what another one has and could not send. A slow broker holds up nothing else. */
@Injectable()
export class Messenger implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('deadlines');
  private readonly loop = new WorkLoop({ next: () => this.work(), pauseMs: idleMs, troubledMs, onTrouble: (error) => this.trouble(error) });
  private readonly mine = new Map<string, Unsent>();
  private seen: ReadonlySet<string> = new Set();
  /** When it was looked last, by a clock that nobody sets. */
  private lookedAt = -Infinity;

  constructor(
    private readonly tickets: WatchedTickets,
    private readonly producer: RecordProducer,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Takes what was just stored. */
  take(stored: readonly Write[]): void {
    for (const ticket of stored.map(unsentOf)) {
      const hasRoom = this.mine.size < mostRemembered || this.mine.has(ticket.id);
      if (ticket.outgoing.length > 0 && hasRoom) this.mine.set(ticket.id, ticket);
    }
    if (this.mine.size > 0) this.loop.wake();
  }

  private async work(): Promise<boolean> {
    const own = [...this.mine.values()].slice(0, handful);
    const left = await this.left();
    await this.send([...own, ...left]);
    for (const ticket of own) this.forget(ticket);
    return own.length > 0 || left.length > 0;
  }

  /** What has been added to a ticket meanwhile is still to be sent. */
  private forget({ id, turn }: Unsent): void {
    const newest = this.mine.get(id)!;
    if (newest.turn === turn) this.mine.delete(id);
    else this.mine.set(id, { ...newest, outgoing: newest.outgoing.filter((one) => one.turn > turn) });
  }

  /** What others had not sent a while ago and still have not, however much there is of our own. */
  private async left(): Promise<Unsent[]> {
    const now = performance.now();
    if (now - this.lookedAt < idleMs) return [];
    const unsent = await this.tickets.unsent(2 * handful);
    this.lookedAt = now;
    const before = this.seen;
    this.seen = new Set(unsent.map(nameOf));
    return unsent.filter((ticket) => before.has(nameOf(ticket)) && !this.mine.has(ticket.id));
  }

  private async send(tickets: readonly Unsent[]): Promise<void> {
    if (tickets.length === 0) return;
    const records = tickets.flatMap((ticket) => ticket.outgoing.map((one) => recordOf(ticket, one)));
    // A ticket's lie in one request, or in requests of which none is begun before the last one was acknowledged.
    for (let i = 0; i < records.length; i += 500) await this.producer.send(records.slice(i, i + 500), { deadline: Date.now() + 10_000 });
    await this.tickets.sent(tickets);
  }

  private trouble(error: unknown): void {
    deadlineTroubles.inc();
    this.logger.warn({ msg: 'news of deadlines cannot be sent right now', err: error });
  }
}

const nameOf = ({ id, turn }: Unsent) => `${id} ${turn}`;
