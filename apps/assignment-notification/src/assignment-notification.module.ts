import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { INTERNAL_DOOR } from '#internal';
import { Fault, RecordProducer } from '#messaging';
import { patiently } from '#observability';
import { openDatabase, type Database } from '#persistence';
import { Agenda } from './assignment/agenda.store.js';
import { AssignmentConsumer } from './assignment/assignment.consumer.js';
import { Dispatcher } from './assignment/dispatcher.js';
import { HandBacksController } from './assignment/hand-backs.controller.js';
import { HandBacks } from './assignment/hand-backs.store.js';
import { NeedsLog } from './assignment/needs-log.store.js';
import { Rehearsals } from './assignment/rehearsals.js';
import { RuleBook } from './assignment/rule-book.store.js';
import { RulesController } from './assignment/rules.controller.js';
import { TrackedTickets } from './assignment/tracked-tickets.store.js';
import type { Config } from './config.js';
import { Beginning } from './deliveries/beginning.store.js';
import { CLAIMANTS, ClaimsConsumer, type Claimant } from './deliveries/claims.consumer.js';
import { CHANNELS, Courier } from './deliveries/courier.js';
import { Deliveries } from './deliveries/deliveries.store.js';
import type { Channel } from './deliveries/delivery.js';
import { Targets } from './deliveries/targets.store.js';
import { Courier as DeadlineCourier } from './deadlines/courier.js';
import { DeadlinesConsumer } from './deadlines/deadlines.consumer.js';
import { PoliciesController } from './deadlines/policies.controller.js';
import { PolicyBook } from './deadlines/policy-book.store.js';
import { Timekeeper } from './deadlines/timekeeper.js';
import { WatchedTickets } from './deadlines/watched-tickets.store.js';
import { DirectoryConsumer } from './directory/directory.consumer.js';
import { DirectoryStore } from './directory/directory.store.js';
import { Mailer } from './mail/mail.js';
import { mailSettings } from './mail/mail-config.js';
import { SmtpMailer } from './mail/smtp-mailer.js';
import { DeadlineNoticesConsumer } from './notices/deadline-notices.consumer.js';
import { LiveNotices } from './notices/live-notices.js';
import { NoticeMails, PUBLIC_URL } from './notices/notice-mail.channel.js';
import { NoticeReads } from './notices/notice-reads.js';
import { NoticeTickets } from './notices/notice-tickets.store.js';
import { NoticesController } from './notices/notices.controller.js';
import { NoticeStore } from './notices/notices.store.js';
import { Noticing } from './notices/noticing.js';
import { Postbox } from './notices/postbox.js';
import { PreferencesController } from './notices/preferences.controller.js';
import { Preferences } from './notices/preferences.store.js';
import { ReadMarks } from './notices/read-marks.store.js';
import { STORE } from './store.js';

/** Name of the service's database. */
export const databaseName = 'deskstream_assignment';

const stores = [DirectoryStore, TrackedTickets, RuleBook, Agenda, HandBacks, NeedsLog, Beginning, Targets, Deliveries, PolicyBook, WatchedTickets, NoticeTickets, NoticeStore, Preferences, ReadMarks] as const;
/** Who says what is to be told of events, and the ways to tell it. */
const claimants: readonly Type<Claimant>[] = [Noticing];
const channels: readonly Type<Channel>[] = [NoticeMails];

/** Who should work on a ticket, and who must hear of it: it changes tickets by commands only. */
@Module({})
export class AssignmentNotificationModule implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly parts: ModuleRef) {}

  static with(config: Config, database = databaseName): DynamicModule {
    const { MONGODB_URI: uri, KAFKA_BROKERS: brokers, INTERNAL_KEY: key } = config;
    return {
      module: AssignmentNotificationModule,
      controllers: [DirectoryConsumer, AssignmentConsumer, ClaimsConsumer, RulesController, HandBacksController, DeadlinesConsumer, PoliciesController, NoticesController, PreferencesController, DeadlineNoticesConsumer],
      providers: [
        { provide: STORE, useFactory: () => openDatabase({ uri, database }) },
        { provide: INTERNAL_DOOR, useValue: { audience: 'assignment-notification', key } },
        { provide: RecordProducer, useFactory: () => new RecordProducer({ brokers, clientId: 'assignment-notification' }) },
        { provide: Mailer, useFactory: () => new SmtpMailer(mailSettings(config)) },
        { provide: PUBLIC_URL, useValue: config.PUBLIC_URL },
        ...stores,
        ...claimants,
        ...channels,
        { provide: CLAIMANTS, useFactory: (...all: Claimant[]) => all, inject: [...claimants] },
        { provide: CHANNELS, useFactory: (...all: Channel[]) => all, inject: [...channels] },
        Courier,
        Dispatcher,
        Rehearsals,
        DeadlineCourier,
        Timekeeper,
        NoticeReads,
        LiveNotices,
        Postbox,
      ],
    };
  }

  /** The indexes must stand before the first record, and no ticket is dealt out before commands can be sent. */
  async onModuleInit(): Promise<void> {
    for (const store of stores) await patiently('preparing the store', () => this.parts.get<{ prepare(): Promise<void> }>(store).prepare());
    const producer = this.parts.get(RecordProducer);
    await patiently('connecting to Kafka', () => producer.connect().catch((cause: unknown) => Promise.reject(new Fault('no broker', { cause }))));
  }

  /** After consumers and dispatcher have drained: they store and send until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.get(RecordProducer).close();
    await this.parts.get<Database>(STORE).close();
  }
}
