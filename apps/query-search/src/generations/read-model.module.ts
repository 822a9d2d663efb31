import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { patiently } from '#observability';
import type { Database } from '#persistence';
import { Arrivals } from '../arrivals.js';
import { collectionsOf } from '../collections.js';
import { DeadlinesConsumer } from '../deadlines.consumer.js';
import { TicketExport } from '../export/ticket-export.store.js';
import { FeedNews } from '../feed/feed-news.js';
import { FeedReader } from '../feed/feed.reader.js';
import { FeedStore } from '../feed/feed.store.js';
import { ListCursors } from '../list-cursor.js';
import { ProjectionStore } from '../projection.store.js';
import { MongoSearch, SEARCH_LIMITS, type SearchLimits } from '../search/mongo-search.store.js';
import { SearchConsumer } from '../search/search.consumer.js';
import { SearchPort } from '../search/search.port.js';
import { Vocabulary } from '../search/vocabulary.store.js';
import { currentShape } from '../shape.js';
import { Cells } from '../stats/cells.store.js';
import { CountedViews } from '../stats/counted-views.store.js';
import { Marks } from '../stats/marks.store.js';
import { Recount } from '../stats/recount.js';
import { StatsReader } from '../stats/stats.reader.js';
import { COLLECTIONS, SHAPE, STORE } from '../store.js';
import { TicketViewConsumer } from '../ticket-view.consumer.js';
import { TicketViewStore } from '../ticket-view.store.js';

/** What the generations of a process have in common. */
export interface Surroundings {
  store: Database;
  cursors: ListCursors;
  /** No part of a generation: all add to the same. */
  feed: FeedStore;
  news: FeedNews;
  /** Of searching; the usual ones unless given. */
  limits?: SearchLimits | undefined;
  /** Of a generation's documents, as far as that is known at the moment; this version's unless given. */
  shape?: () => number | undefined;
}

/** One generation of the read model: everything that is made of the topics of events and of deadlines, who keeps it up to date, and who reads it. */
@Module({})
export class ReadModelModule implements OnModuleInit {
  constructor(private readonly projection: ProjectionStore) {}

  static with({ store, cursors, feed, news, limits, shape = () => currentShape }: Surroundings, generation: number): DynamicModule {
    return {
      module: ReadModelModule,
      controllers: [TicketViewConsumer, SearchConsumer, DeadlinesConsumer],
      providers: [
        { provide: STORE, useValue: store },
        { provide: COLLECTIONS, useValue: collectionsOf(generation) },
        { provide: SHAPE, useValue: shape },
        { provide: ListCursors, useValue: cursors },
        { provide: FeedStore, useValue: feed },
        { provide: FeedNews, useValue: news },
        FeedReader,
        { provide: SearchPort, useClass: MongoSearch },
        ...(limits ? [{ provide: SEARCH_LIMITS, useValue: limits }] : []),
        Arrivals,
        Vocabulary,
        ProjectionStore,
        TicketViewStore,
        TicketExport,
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
    await patiently('preparing the views', () => this.projection.prepare());
  }
}
