import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { topics, type TicketEvent } from '#contracts';
import { readEvent, TopicReader } from '#messaging';
import { BROKERS } from '../brokers.js';
import { Deliveries } from '../deliveries/deliveries.store.js';
import { deliveryTroubles } from '../metrics.js';
import { WorkLoop } from '../work-loop.js';
import { Replays, type HeldReplay, type Part } from './replays.store.js';
import { WebhookBook, type StoredWebhook } from './webhook-book.store.js';
import { claimOf, webhookIn } from './webhook-claims.js';
import { isTold, messageOf } from './webhook.policy.js';

/** Records that are read for a replay at a time: others have their turn, and how far it is gets stored. */
const handful = 2_000;
/** With so many deliveries waiting for its webhook a replay rests: what happens meanwhile must not queue behind a year of events. */
const mostWaiting = 500;
/** For so long, ms. */
const restMs = 1_000;
/** Records are written after what they tell of happened, by clocks that may differ by so much, ms. */
const clocksMs = 300_000;

/** Reads what happened since some time from the topic, and claims it for a webhook once more. Takes part in no group, and is not ahead of what is delivered. */
@Injectable()
export class Replayer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('replays');
  private readonly loop: WorkLoop;
  private reader: Promise<TopicReader> | undefined;

  constructor(
    private readonly replays: Replays,
    private readonly book: WebhookBook,
    private readonly deliveries: Deliveries,
    @Inject(BROKERS) private readonly brokers: string[],
  ) {
    this.loop = new WorkLoop({ next: () => this.next(), pauseMs: 500, troubledMs: 2_000, onTrouble: (error) => this.trouble(error) });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.leave();
  }

  wake(): void {
    this.loop.wake();
  }

  private async next(): Promise<boolean> {
    const held = await this.replays.take();
    if (held === undefined) {
      await this.leave();
      return false;
    }
    await this.goOn(held);
    return true;
  }

  private async goOn(held: HeldReplay): Promise<void> {
    const { target, events } = held;
    const { orgId, id } = webhookIn(target);
    const webhook = (await this.book.rules(orgId)).find((one) => one.id === id);
    if (webhook?.enabled !== true) return this.replays.stop(target, held.startedAt);
    const parts = held.parts ?? (await this.partsSince(held.from));
    const part = parts.find(({ next, end }) => next < end);
    if (part === undefined || (await this.deliveries.waiting(target, mostWaiting)) >= mostWaiting) return this.replays.giveBack(held, { parts, events, dueAt: new Date(Date.now() + restMs) });
    const { found, next } = await this.read(part, (event) => event.orgId === orgId && event.at >= held.from && event.at < held.startedAt && isTold({ ...webhook, createdAt: held.from }, event));
    await this.claim(held, webhook, found);
    await this.replays.giveBack(held, { parts: parts.map((one) => (one === part ? { ...one, next } : one)), events: events + found.length, dueAt: new Date() });
  }

  private async claim({ id: replay }: HeldReplay, webhook: StoredWebhook, found: readonly TicketEvent[]): Promise<void> {
    await this.deliveries.claim(found.map((event) => claimOf(webhook, event, { text: JSON.stringify(messageOf(event)), replay })));
  }

  private async partsSince(from: string): Promise<Part[]> {
    const reader = await this.topic();
    const [extent, since] = [await reader.extent(topics.events), await reader.since(topics.events, Date.parse(from) - clocksMs)];
    return extent.map(({ partition, low, high }) => {
      const first = Math.min(high, Math.max(low, since.get(partition) ?? high));
      return { partition, first, next: first, end: high };
    });
  }

  /** A handful of a partition, or fewer where much of it is found. */
  private async read({ partition, next: from, end }: Part, isWanted: (event: TicketEvent) => boolean): Promise<{ found: TicketEvent[]; next: number }> {
    const reader = await this.topic();
    const to = Math.min(end, from + handful);
    const found: TicketEvent[] = [];
    let next = from;
    await reader.read({ topic: topics.events, partition, from, to }, (record) => {
      next = Number(record.offset) + 1;
      const read = readEvent(record);
      if ('event' in read && isWanted(read.event)) found.push(read.event);
      return found.length < mostWaiting;
    });
    return { found, next: found.length < mostWaiting ? to : next };
  }

  private topic(): Promise<TopicReader> {
    this.reader ??= TopicReader.open(this.brokers);
    return this.reader;
  }

  /** A reader that has failed is not asked again. */
  private async leave(): Promise<void> {
    const reader = this.reader;
    this.reader = undefined;
    await reader?.then((one) => one.close()).catch(() => undefined);
  }

  private trouble(error: unknown): void {
    deliveryTroubles.inc();
    this.logger.warn({ msg: 'a replay cannot go on right now', err: error });
    void this.leave();
  }
}
