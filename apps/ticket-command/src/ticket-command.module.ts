import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit, type Provider } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DirectoryFollower, Fault, ProducerPool, RecordProducer } from '#messaging';
import { patiently } from '#observability';
import { MongoCommitLog, NumberBlocks, openDatabase, prepareCommits, type Database } from '#persistence';
import type { Config } from './config.js';
import { DeadCommands } from './dead-commands.js';
import { ClaimedIds, prepareClaims } from './inbound/claimed-ids.store.js';
import { DirectoryCopy } from './inbound/directory-copy.js';
import { InboundResults } from './inbound/inbound-results.js';
import { InboundSystems, type ReadingParts } from './inbound/inbound-systems.js';
import { KnownTickets } from './known-tickets.js';
import { Outcomes } from './outcomes.js';
import { ALLOW_PAST, TicketConsumer } from './ticket.consumer.js';
import { TicketHandler } from './ticket.handler.js';

/** The service's own database. */
export const STORE = Symbol('store');

/** Dead letters hold what was already at the limit of its topic. */
const largestDeadLetter = 4 * 1024 * 1024;
/** The same of what outside systems send: their topics take up to 4 MiB. */
const largestSetAside = 5 * 1024 * 1024;
/** The producer of dead letters. */
const UNDERTAKER = Symbol('undertaker');
/** The producer of commands that outside systems send. */
const FORWARDER = Symbol('forwarder');
/** What the readers of outside systems' topics work with. */
const READING_PARTS = Symbol('reading parts');

/** The only writer of tickets. */
@Module({})
export class TicketCommandModule implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly parts: ModuleRef) {}

  static with({ MONGODB_URI: uri, KAFKA_BROKERS: brokers, ALLOW_PAST_COMMANDS: allowPast }: Config): DynamicModule {
    return {
      module: TicketCommandModule,
      controllers: [TicketConsumer],
      providers: [
        { provide: STORE, useFactory: () => openDatabase({ uri, database: 'deskstream_command' }) },
        { provide: RecordProducer, useFactory: () => new RecordProducer({ brokers, clientId: 'ticket-command' }) },
        {
          provide: UNDERTAKER,
          useFactory: () => new RecordProducer({ brokers, clientId: 'ticket-command-dead-letters', maxRecordBytes: largestDeadLetter }),
        },
        {
          provide: DeadCommands,
          useFactory: (producer: RecordProducer, systems: InboundResults) => new DeadCommands(producer, systems),
          inject: [UNDERTAKER, InboundResults],
        },
        ...outsideSystems(brokers),
        KnownTickets,
        { provide: ALLOW_PAST, useValue: allowPast },
        {
          provide: TicketHandler,
          useFactory: (store: Database, producer: RecordProducer, systems: InboundResults, known: KnownTickets) =>
            new TicketHandler(new MongoCommitLog(store), new NumberBlocks(store), new Outcomes(producer, systems), known),
          inject: [STORE, RecordProducer, InboundResults, KnownTickets],
        },
      ],
    };
  }

  /** The unique indexes must stand before the first command: they are what keeps two instances apart. */
  async onModuleInit(): Promise<void> {
    await patiently('preparing the commit log', () => prepareCommits(this.parts.get<Database>(STORE)));
    await patiently('preparing the claims of ids', () => prepareClaims(this.parts.get<Database>(STORE)));
    for (const producer of this.producers) {
      await patiently('connecting to Kafka', () => producer.connect().catch((cause: unknown) => Promise.reject(new Fault('no broker', { cause }))));
    }
  }

  /** After the transport has drained: it publishes until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.get(DirectoryFollower).stop();
    await Promise.all([...this.producers, this.parts.get(ProducerPool)].map((producer) => producer.close()));
    await this.parts.get<Database>(STORE).close();
  }
  private get producers(): RecordProducer[] {
    return [RecordProducer, UNDERTAKER, FORWARDER].map((part) => this.parts.get<RecordProducer>(part));
  }
}

/** What reads the topics of outside systems, and tells them what became of their records. */
const outsideSystems = (brokers: string[]): Provider[] => [
  { provide: DirectoryFollower, useFactory: () => new DirectoryFollower(brokers, new DirectoryCopy()) },
  { provide: FORWARDER, useFactory: () => new RecordProducer({ brokers, clientId: 'ticket-command-inbound' }) },
  { provide: ClaimedIds, useFactory: (store: Database) => new ClaimedIds(store), inject: [STORE] },
  { provide: ProducerPool, useFactory: () => new ProducerPool({ brokers, clientId: 'ticket-command-inbound', maxRecordBytes: largestSetAside }) },
  { provide: InboundResults, useFactory: (producers: ProducerPool) => new InboundResults(producers), inject: [ProducerPool] },
  {
    provide: READING_PARTS,
    useFactory: (claims: ClaimedIds, producer: RecordProducer, producers: ProducerPool, results: InboundResults): ReadingParts => ({ claims, producer, producers, results }),
    inject: [ClaimedIds, FORWARDER, ProducerPool, InboundResults],
  },
  {
    provide: InboundSystems,
    useFactory: (follower: DirectoryFollower<DirectoryCopy>, parts: ReadingParts) => new InboundSystems(follower, parts),
    inject: [DirectoryFollower, READING_PARTS],
  },
];
