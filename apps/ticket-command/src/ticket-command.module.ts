import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Fault, RecordProducer } from '#messaging';
import { patiently } from '#observability';
import { MongoCommitLog, NumberBlocks, openDatabase, prepareCommits, type Database } from '#persistence';
import type { Config } from './config.js';
import { DeadCommands } from './dead-commands.js';
import { KnownTickets } from './known-tickets.js';
import { Outcomes } from './outcomes.js';
import { ALLOW_PAST, TicketConsumer } from './ticket.consumer.js';
import { TicketHandler } from './ticket.handler.js';

/** The service's own database. */
export const STORE = Symbol('store');

/** Dead letters hold what was already at the limit of its topic. */
const largestDeadLetter = 4 * 1024 * 1024;
/** The producer of dead letters. */
const UNDERTAKER = Symbol('undertaker');

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
        { provide: DeadCommands, useFactory: (producer: RecordProducer) => new DeadCommands(producer), inject: [UNDERTAKER] },
        KnownTickets,
        { provide: ALLOW_PAST, useValue: allowPast },
        {
          provide: TicketHandler,
          useFactory: (store: Database, producer: RecordProducer, known: KnownTickets) =>
            new TicketHandler(new MongoCommitLog(store), new NumberBlocks(store), new Outcomes(producer), known),
          inject: [STORE, RecordProducer, KnownTickets],
        },
      ],
    };
  }

  /** The unique indexes must stand before the first command: they are what keeps two instances apart. */
  async onModuleInit(): Promise<void> {
    await patiently('preparing the commit log', () => prepareCommits(this.parts.get<Database>(STORE)));
    for (const producer of [this.parts.get(RecordProducer), this.parts.get<RecordProducer>(UNDERTAKER)]) {
      await patiently('connecting to Kafka', () => producer.connect().catch((cause: unknown) => Promise.reject(new Fault('no broker', { cause }))));
    }
  }

  /** After the transport has drained: it publishes until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.get(RecordProducer).close();
    await this.parts.get<RecordProducer>(UNDERTAKER).close();
    await this.parts.get<Database>(STORE).close();
  }
}
