import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { patiently } from '#observability';
import { openDatabase, type Database } from '#persistence';
import { Arrivals } from './arrivals.js';
import { INTERNAL_KEY } from './assertion.guard.js';
import { CommandResultsConsumer } from './command-results.consumer.js';
import { CommandResultStore } from './command-results.store.js';
import { CommandsController } from './commands.controller.js';
import type { Config } from './config.js';
import { ExportController } from './export/export.controller.js';
import { Exports } from './export/exports.js';
import { TicketExport } from './export/ticket-export.store.js';
import { ListCursors } from './list-cursor.js';
import { ProjectionStore } from './projection.store.js';
import { MongoSearch } from './search/mongo-search.store.js';
import { SearchConsumer } from './search/search.consumer.js';
import { SuggestController } from './search/suggest.controller.js';
import { SearchPort } from './search/search.port.js';
import { Cells } from './stats/cells.store.js';
import { CountedViews } from './stats/counted-views.store.js';
import { Marks } from './stats/marks.store.js';
import { Recount } from './stats/recount.js';
import { StatsController } from './stats/stats.controller.js';
import { StatsReader } from './stats/stats.reader.js';
import { STORE } from './store.js';
import { TicketViewConsumer } from './ticket-view.consumer.js';
import { TicketViewController } from './ticket-view.controller.js';
import { TicketViewStore } from './ticket-view.store.js';

/** Read models of tickets: kept from their events, asked by gateways. */
@Module({})
export class QuerySearchModule implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly parts: ModuleRef) {}

  /** @param database tests keep theirs apart */
  static with({ MONGODB_URI: uri, INTERNAL_KEY: key }: Pick<Config, 'MONGODB_URI' | 'INTERNAL_KEY'>, database = 'deskstream_query'): DynamicModule {
    return {
      module: QuerySearchModule,
      controllers: [TicketViewConsumer, SearchConsumer, CommandResultsConsumer, TicketViewController, ExportController, SuggestController, StatsController, CommandsController],
      providers: [
        { provide: STORE, useFactory: () => openDatabase({ uri, database, poolSize: 12 }) },
        { provide: ListCursors, useFactory: () => new ListCursors(key) },
        { provide: INTERNAL_KEY, useValue: key },
        Arrivals,
        { provide: SearchPort, useClass: MongoSearch },
        ProjectionStore,
        CommandResultStore,
        TicketViewStore,
        TicketExport,
        Exports,
        Marks,
        Cells,
        CountedViews,
        Recount,
        StatsReader,
      ],
    };
  }

  /** Queries name their indexes, so nothing is asked before they stand. */
  async onModuleInit(): Promise<void> {
    await patiently('preparing the views', () => this.parts.get(ProjectionStore).prepare());
  }

  /** After the transport has drained: it stores until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.get<Database>(STORE).close();
  }
}
