import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { isPassing } from '#persistence';
import { deliveriesEnded, deliveryTroubles, sendSeconds } from '../metrics.js';
import { WorkLoop } from '../work-loop.js';
import { Deliveries, type Tried } from './deliveries.store.js';
import { channelOf, failedBy, isStale, nextTry, NotBegun, type Channel, type Delivery, type DeliveryState, type SendOutcome, type Verdict } from './delivery.js';
import { leaseMs, Targets, type HeldTarget, type Next } from './targets.store.js';

/** Every way to tell that the service has. */
export const CHANNELS = Symbol('channels');

/** Targets that are worked for at once. */
const mostTargets = 48;
/** Of these, targets whose last tries have failed or took long: however many hang, the others have room. */
const mostUnsound = 12;
/** A try that takes longer is slow, ms. */
const slowMs = 2_000;
/** Deliveries of a target that are taken up at once. */
const handful = 100;
/** After so long no further try of a handful begins: what came of the others is stored, and the next handful is taken, ms. */
const handfulMs = 2_000;
/** A target whose tries failed is left alone three times as long as they took, within these bounds, ms: who fails at once may be asked again soon, who hangs may not. */
const rest = { least: 250, most: 45_000 };
/** Until one that was not begun with is due again, ms. */
const crowdedMs = 1_000;
/** Until a target of a channel that is not known here is looked at again, ms. */
const unknownRest = 60_000;

/** Sends what was claimed: bounded in all, in order per queue, at least once. What one target does to us concerns no other. */
@Injectable()
export class Courier implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('deliveries');
  private readonly channels: ReadonlyMap<string, Channel>;
  private readonly held = new Map<HeldTarget, Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly loop = new WorkLoop({ next: () => this.next(), pauseMs: 500, troubledMs: 1_000, onTrouble: (error) => this.trouble(error) });
  private renewing: NodeJS.Timeout | undefined;

  constructor(
    private readonly targets: Targets,
    private readonly deliveries: Deliveries,
    @Inject(CHANNELS) channels: readonly Channel[],
  ) {
    this.channels = new Map(channels.map((channel) => [channel.name, channel]));
  }

  onApplicationBootstrap(): void {
    this.targets.onWake(() => this.loop.wake());
    this.renewing = setInterval(() => void this.targets.renew([...this.held.keys()]).catch((error: unknown) => this.trouble(error)), leaseMs / 3);
    this.loop.start();
  }

  /** What is being sent is sent; nothing else is begun. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.loop.stop();
    await Promise.all(this.held.values());
    clearInterval(this.renewing);
  }

  /** Takes a target and begins to work for it. @returns whether there may be more to do @throws StoreFault */
  private async next(): Promise<boolean> {
    if (this.held.size >= mostTargets) {
      await Promise.race(this.held.values());
      return true;
    }
    const unsound = [...this.held.keys()].filter(({ strikes, isSlow }) => strikes > 0 || isSlow).length;
    const held = await this.targets.take({ sound: unsound >= mostUnsound });
    if (held === undefined) return false;
    const work = this.workFor(held).finally(() => {
      this.held.delete(held);
      this.loop.wake();
    });
    this.held.set(held, work);
    return true;
  }

  private trouble(error: unknown): void {
    deliveryTroubles.inc();
    this.logger.warn({ msg: 'deliveries cannot be worked on right now', err: error });
  }

  /** Never throws: where not even the trouble can be stored, the lease runs out. */
  private async workFor(held: HeldTarget): Promise<void> {
    const { target, strikes, isSlow } = held;
    try {
      await this.targets.finish(held, await this.workOff(held));
    } catch (error) {
      this.trouble(error);
      await this.targets.finish(held, { dueAt: new Date(), strikes, isSlow, restsUntil: new Date(Date.now() + 1_000) }).catch(() => undefined);
      if (!isPassing(error)) this.logger.error({ msg: 'a target cannot be worked for', target, err: error });
    }
  }

  private async workOff(held: HeldTarget): Promise<Next> {
    const { target } = held;
    const channel = this.channels.get(channelOf(target));
    // A version of the service that knows it may run beside this one, or come later.
    if (channel === undefined) return { dueAt: new Date(), strikes: 0, isSlow: false, restsUntil: new Date(Date.now() + unknownRest) };
    const due = await this.deliveries.due(target, handful);
    await this.settle(channel, due.filter(({ state }) => state !== 'waiting'));
    const now = Date.now();
    const stale = due.filter((one) => one.state === 'waiting' && isStale(one, channel.pauses, now));
    const inTurn = await this.inTurn(target, due.filter((one) => !stale.includes(one)));
    // One that did not answer is asked by a single try whether it does again.
    const tried = await this.trySome(held, channel, held.strikes > 0 ? inTurn.slice(0, 1).map(([head]) => [head!]) : inTurn);
    await this.keep(channel, target, [...tried, ...stale.map((one) => givenUp(one, channel))]);
    // What there was nothing to be told of says nothing of who would have been told.
    const asked = tried.filter(({ state }) => state !== 'dropped');
    const endedAt = asked.length > 0 ? await channel.judge?.(target, verdictOf(asked)) : undefined;
    if (endedAt !== undefined) await this.deliveries.drop(target, endedAt);
    return this.nextFor(held, asked);
  }

  /** Stores what came of a handful, and tells it. */
  private async keep(channel: Channel, target: string, tried: readonly TriedNow[]): Promise<void> {
    await this.deliveries.note(tried);
    const atEnd = tried.filter(({ state }) => state !== 'waiting');
    await this.deliveries.release(target, [...new Set(atEnd.filter(({ delivery }) => delivery.attempts.length > 0).map(({ delivery }) => delivery.queue))]);
    await this.settle(channel, atEnd.map(ended));
  }

  /** Who still has something due stands behind all others who have: nobody takes two turns while somebody waits for one. */
  private async nextFor({ target, strikes: before, isSlow: wasSlow }: HeldTarget, tried: readonly TriedNow[]): Promise<Next> {
    const strikes = strikesAfter(before, tried);
    const dueAt = await this.deliveries.nextDue(target);
    const isSlow = tried.length === 0 ? wasSlow : tried.some(({ attempt }) => attempt.ms > slowMs);
    return { dueAt: dueAt && new Date(Math.max(dueAt.getTime(), Date.now())), strikes, isSlow, restsUntil: strikes === 0 ? null : restAfter(tried) };
  }

  /** Deliveries whose turn it is, by queue; those before whose head they have come are put off until it is tried. */
  private async inTurn(target: string, due: readonly Delivery[]): Promise<Delivery[][]> {
    const queues = Map.groupBy(due.filter(({ state }) => state === 'waiting'), ({ queue }) => queue);
    if (queues.size === 0) return [];
    const waiting = await this.deliveries.waitingIn(target, [...queues.keys()]);
    const early: { id: string; until: Date }[] = [];
    const inTurn = [...queues].flatMap(([queue, some]) => {
      const sorted = some.sort((one, other) => one.seq - other.seq);
      const { seqs, dueAt } = waiting.get(queue) ?? { seqs: [], dueAt: null };
      // As far as nothing is missing between them: a handful may end in the middle of what was claimed together.
      const missing = sorted.findIndex(({ seq }, i) => seq !== seqs[i]);
      if (missing !== 0) return [missing < 0 ? sorted : sorted.slice(0, missing)];
      early.push(...sorted.map(({ _id }) => ({ id: _id, until: after(dueAt) })));
      return [];
    });
    await this.deliveries.postpone(early);
    return inTurn;
  }

  private async trySome(held: HeldTarget, channel: Channel, queues: Delivery[][]): Promise<TriedNow[]> {
    const tried: TriedNow[] = [];
    const put: { id: string; until: Date }[] = [];
    const left = [...queues];
    const endsAt = Date.now() + handfulMs;
    const mayBegin = () => Date.now() < Math.min(endsAt, held.until) && !this.stopping.signal.aborted && !tried.some(({ isGone }) => isGone);
    const workers = Array.from({ length: held.strikes > 0 ? 1 : channel.parallel }, async () => {
      for (let queue = left.shift(); queue !== undefined && mayBegin(); queue = left.shift()) {
        for (const [i, delivery] of queue.entries()) {
          if (!mayBegin()) break;
          const one = await this.attempt(channel, delivery);
          if (one !== undefined) tried.push(one);
          if (one !== undefined && one.state !== 'waiting') continue;
          put.push(...behind(queue, i, one));
          break;
        }
      }
    });
    await Promise.all(workers);
    await this.deliveries.postpone(put);
    return tried;
  }

  /** Undefined where it was not begun with. */
  private async attempt(channel: Channel, delivery: Delivery): Promise<TriedNow | undefined> {
    const at = new Date();
    const limit = new AbortController();
    // A signal of its own kind would stay until its time is over, with all that listens to it.
    const timer = setTimeout(() => limit.abort(new Error('no answer in time')), channel.limitMs);
    const outcome = await channel
      .send(delivery, limit.signal)
      .catch((error: unknown) => (error instanceof NotBegun ? undefined : failedBy(error)))
      .finally(() => clearTimeout(timer));
    if (outcome === undefined) return undefined;
    const ms = Date.now() - at.getTime();
    sendSeconds.observe({ channel: channel.name }, ms / 1_000);
    const attempt = { at, ms, isDelivered: outcome.state === 'delivered', detail: outcome.detail.slice(0, 500) };
    const next = outcome.state === 'failed' ? nextTry(channel.pauses, { tries: delivery.tries + 1, at: new Date(), retryAfter: outcome.retryAfter }) : undefined;
    const verdict = { delivery, attempt, isGone: outcome.state === 'gone', isAnswered: outcome.state !== 'failed', as: outcome.as };
    if (next !== undefined) return { ...verdict, state: 'waiting', dueAt: next };
    const state = endOf(outcome);
    deliveriesEnded.inc({ channel: channel.name, outcome: state });
    return { ...verdict, state, dueAt: channel.settle ? new Date() : null };
  }

  /** Tells what came to its end, but for what nobody wants to be told of. */
  private async settle(channel: Channel, some: readonly Delivery[]): Promise<void> {
    const deliveries = some.filter(({ dueAt }) => dueAt !== null);
    if (deliveries.length === 0) return;
    await channel.settle?.(deliveries).catch((error: unknown) => (isPassing(error) ? Promise.reject(error as Error) : this.settleEach(channel, deliveries)));
    await this.deliveries.markSettled(deliveries.map(({ _id }) => _id));
  }

  /** What nobody can be told of holds up nobody else. */
  private async settleEach(channel: Channel, deliveries: readonly Delivery[]): Promise<void> {
    for (const delivery of deliveries) {
      await channel.settle?.([delivery]).catch((error: unknown) => {
        if (isPassing(error)) throw error;
        deliveryTroubles.inc();
        this.logger.error({ msg: 'how a delivery ended cannot be told', delivery: delivery._id, err: error });
      });
    }
  }
}

/** What waits behind a try that did not end its delivery; one that was not begun with waits with them. */
function behind(queue: readonly Delivery[], i: number, one: TriedNow | undefined): { id: string; until: Date }[] {
  const until = one === undefined ? new Date(Date.now() + crowdedMs) : after(one.dueAt);
  return queue.slice(one === undefined ? i : i + 1).map(({ _id }) => ({ id: _id, until }));
}

/** What becomes of a delivery that is not tried again. */
function endOf({ state }: SendOutcome): Exclude<DeliveryState, 'waiting'> {
  if (state === 'moot') return 'dropped';
  return state === 'delivered' ? 'delivered' : 'failed';
}

interface TriedNow extends Tried {
  isGone: boolean;
  isAnswered: boolean;
  as: string | undefined;
}

/** Who says that it is gone has the last word. */
function verdictOf(tried: readonly TriedNow[]): Verdict {
  const gone = tried.find(({ isGone }) => isGone);
  return { isAnswering: tried.some(({ isAnswered }) => isAnswered), isGone: gone !== undefined, as: (gone ?? tried.at(-1))?.as };
}

/** What has waited for too long is not tried any more. */
const givenUp = (delivery: Delivery, { settle }: Channel): TriedNow => ({
  delivery,
  attempt: { at: new Date(), ms: 0, isDelivered: false, detail: 'It waited for too long.' },
  state: 'failed',
  dueAt: settle ? new Date() : null,
  isGone: false,
  isAnswered: false,
  as: undefined,
});

/** As the store has it after the try. */
const ended = ({ delivery, attempt, state, dueAt }: TriedNow): Delivery => ({ ...delivery, state, dueAt, tries: delivery.tries + 1, attempts: [...delivery.attempts, attempt], endedAt: new Date() });

/** A target answers where at least one try came through or was refused for what it was; without tries nobody knows. */
function strikesAfter(strikes: number, tried: readonly TriedNow[]): number {
  if (tried.length === 0) return strikes;
  return tried.some(({ isAnswered }) => isAnswered) ? 0 : strikes + 1;
}

function restAfter(tried: readonly TriedNow[]): Date | null {
  if (tried.length === 0) return null;
  const took = Math.max(...tried.map(({ attempt }) => attempt.ms));
  return new Date(Date.now() + Math.min(Math.max(3 * took, rest.least), rest.most));
}

/** Whoever waits for a head is due behind it: a handful of one must find the head. */
const after = (head: Date | null) => new Date(Math.max(head?.getTime() ?? 0, Date.now()) + 1);
