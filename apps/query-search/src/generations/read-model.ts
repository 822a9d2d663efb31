import type { INestMicroservice, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { topics } from '#contracts';
import { GroupProgress, groupOf, RoundTransport, type RoundTransportOptions } from '#messaging';
import type { Database } from '#persistence';
import { TicketExport } from '../export/ticket-export.store.js';
import { FeedReader } from '../feed/feed.reader.js';
import { Recount } from '../stats/recount.js';
import { StatsReader } from '../stats/stats.reader.js';
import { viewGroup } from '../ticket-view.consumer.js';
import { TicketViewStore } from '../ticket-view.store.js';
import { ReadModelModule, type Surroundings } from './read-model.module.js';

/** What a generation is kept up to date by, and what tells how far it is. */
export interface Feed {
  transport: CustomTransportStrategy & Pick<RoundTransport, 'health'>;
  progress: Pick<GroupProgress, 'asOf' | 'lagMs' | 'start' | 'stop'>;
}

/** @param hurries whether a generation catches up, and nobody reads it yet */
export type Feeds = (generation: number, hurries: () => boolean) => Feed;

/** Feeds from a cluster. @param otherwise what a transport has beside the usual */
export const feedsFrom = (brokers: string[], store: Database, otherwise: Partial<RoundTransportOptions> = {}): Feeds => (generation, hurries) => ({
  transport: new RoundTransport({ brokers, service: 'query-search', generation, hurries, isStoreHealthy: () => store.healthy(), ...otherwise }),
  progress: GroupProgress.of({ brokers, clientId: 'query-search-progress', group: groupOf(viewGroup, generation), topic: topics.events }),
});

/** A generation of the read model in this process: a microservice of its own, with consumers that come and go without touching others'. */
export class ReadModel {
  readonly tickets: TicketViewStore;
  readonly exports: TicketExport;
  readonly events: FeedReader;
  readonly stats: StatsReader;
  readonly recount: Recount;

  private constructor(
    readonly generation: number,
    private readonly app: INestMicroservice,
    private readonly feed: Feed,
  ) {
    this.tickets = app.get(TicketViewStore);
    this.exports = app.get(TicketExport);
    this.events = app.get(FeedReader);
    this.stats = app.get(StatsReader);
    this.recount = app.get(Recount);
  }

  /** Makes its indexes, waiting for the store as long as it takes, and starts its consumers without waiting for the broker. */
  static async open(around: Surroundings, generation: number, feed: Feed): Promise<ReadModel> {
    const app = await NestFactory.createMicroservice(ReadModelModule.with(around, generation), { strategy: feed.transport, abortOnError: false });
    await app.listen();
    feed.progress.start();
    app.get(StatsReader).follow(feed.progress);
    return new ReadModel(generation, app, feed);
  }

  get health() {
    return this.feed.transport.health();
  }

  /** How far it may be behind the events, ms; undefined before that was seen. */
  get lagMs(): number | undefined {
    return this.feed.progress.lagMs;
  }

  /** A part of it. */
  get<T>(type: Type<T>): T {
    return this.app.get(type);
  }

  /** Drains its consumers and stops counting. What reads it goes on. */
  async close(): Promise<void> {
    await Promise.all([this.feed.progress.stop(), this.app.close()]);
  }
}
