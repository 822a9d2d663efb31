import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { INTERNAL_DOOR } from '#internal';
import { patiently } from '#observability';
import { openDatabase, type Database } from '#persistence';
import { CommandResultsConsumer } from './command-results.consumer.js';
import { CommandResultStore } from './command-results.store.js';
import { CommandsController } from './commands.controller.js';
import type { Config } from './config.js';
import { ExportController } from './export/export.controller.js';
import { Exports } from './export/exports.js';
import { FeedNews } from './feed/feed-news.js';
import { FeedPlaces } from './feed/feed-places.js';
import { FeedController } from './feed/feed.controller.js';
import { FeedStore } from './feed/feed.store.js';
import { Board } from './generations/board.store.js';
import { Generations } from './generations/generations.js';
import { feedsFrom, type Feeds } from './generations/read-model.js';
import { Readings } from './generations/readings.js';
import { rebuildBeside } from './generations/rebuild-process.js';
import { Renewal, type RenewalParts } from './generations/renewal.js';
import { ListCursors } from './list-cursor.js';
import type { SearchLimits } from './search/mongo-search.store.js';
import { audience } from './reader.guard.js';
import { SuggestController } from './search/suggest.controller.js';
import { StatsController } from './stats/stats.controller.js';
import { STORE } from './store.js';
import { TicketViewController } from './ticket-view.controller.js';

/** What tests have otherwise. */
export interface Otherwise {
  database?: string;
  limits?: SearchLimits | undefined;
  feeds?: Feeds | undefined;
  /** Builds a read model of an older shape anew. */
  build?: RenewalParts['build'];
}

/** Name of the service's database. */
export const databaseName = 'deskstream_query';

/** Read models of tickets, kept from their events and asked by gateways; and the results of commands. */
@Module({})
export class QuerySearchModule implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly parts: ModuleRef) {}

  static with({ KAFKA_BROKERS: brokers, MONGODB_URI: uri, INTERNAL_KEY: key }: Config, { database = databaseName, limits, feeds, build = rebuildBeside }: Otherwise = {}): DynamicModule {
    return {
      module: QuerySearchModule,
      controllers: [CommandResultsConsumer, TicketViewController, ExportController, SuggestController, StatsController, CommandsController, FeedController],
      providers: [
        { provide: STORE, useFactory: () => openDatabase({ uri, database, poolSize: 12 }) },
        { provide: INTERNAL_DOOR, useValue: { audience, key } },
        Board,
        FeedStore,
        FeedNews,
        { provide: FeedPlaces, useValue: new FeedPlaces(key) },
        {
          provide: Generations,
          inject: [STORE, Board, FeedStore, FeedNews],
          useFactory: (store: Database, board: Board, feed: FeedStore, news: FeedNews) =>
            new Generations({ board, around: { store, feed, news, cursors: new ListCursors(key), limits }, feeds: feeds ?? feedsFrom(brokers, store) }),
        },
        { provide: Renewal, inject: [Board], useFactory: (board: Board) => new Renewal({ board, build }) },
        { provide: Readings, inject: [Generations], useFactory: ({ readings }: Generations) => readings },
        CommandResultStore,
        Exports,
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    await patiently('preparing the results of commands', () => this.parts.get(CommandResultStore).prepare());
  }

  /** After the consumers have drained: they store until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.get<Database>(STORE).close();
  }
}
