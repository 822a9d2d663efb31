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
import { BROKERS } from './brokers.js';
import type { Config } from './config.js';
import { DeadlinesConsumer } from './deadlines/deadlines.consumer.js';
import { HEARING, hearingAt } from './deadlines/hearing.js';
import { Messenger } from './deadlines/messenger.js';
import { PoliciesController } from './deadlines/policies.controller.js';
import { PolicyBook } from './deadlines/policy-book.store.js';
import { StoreTime } from './deadlines/store-time.js';
import { Timekeeper } from './deadlines/timekeeper.js';
import { WatchedTickets } from './deadlines/watched-tickets.store.js';
import { Beginning } from './deliveries/beginning.store.js';
import { CLAIMANTS, ClaimsConsumer, type Claimant } from './deliveries/claims.consumer.js';
import { CHANNELS, Courier } from './deliveries/courier.js';
import { Deliveries } from './deliveries/deliveries.store.js';
import type { Channel } from './deliveries/delivery.js';
import { Judged } from './deliveries/judged.store.js';
import { Targets } from './deliveries/targets.store.js';
import { DirectoryConsumer } from './directory/directory.consumer.js';
import { DirectoryStore } from './directory/directory.store.js';
import { Mailer } from './mail/mail.js';
import { mailSettings } from './mail/mail-config.js';
import { SmtpMailer } from './mail/smtp-mailer.js';
import { imapSettings } from './inbound-mail/imap-config.js';
import { InboundMailController } from './inbound-mail/inbound-mail.controller.js';
import { InboundMail } from './inbound-mail/inbound-mail.js';
import { InboundMailboxes } from './inbound-mail/inbound-mailbox.store.js';
import { InboundMails } from './inbound-mail/inbound-mails.store.js';
import { MailResultsConsumer } from './inbound-mail/mail-results.consumer.js';
import { IMAP_SETTINGS, MailboxPoll } from './inbound-mail/mailbox-poll.js';
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
import { OutboundStreams } from './outbound/outbound-streams.js';
import { AssistantPost } from './replies/assistant-post.js';
import { CorrespondentsConsumer } from './replies/correspondents.consumer.js';
import { Correspondents } from './replies/correspondents.store.js';
import { DeliveryBook } from './replies/delivery-book.store.js';
import { DeliveryController } from './replies/delivery.controller.js';
import { MailNames, NAME_PARTS } from './replies/mail-names.js';
import { RepliesController } from './replies/replies.controller.js';
import { REPLY_PAUSES, RequesterChannel } from './replies/requester.channel.js';
import { RequesterClaimant } from './replies/requester.claimant.js';
import { Threads } from './replies/threads.store.js';
import { UpdateBook } from './replies/update-book.store.js';
import { UpdatesController } from './replies/updates.controller.js';
import { STORE } from './store.js';
import { Replayer } from './webhooks/replayer.js';
import { Replays } from './webhooks/replays.store.js';
import { WebhookBook } from './webhooks/webhook-book.store.js';
import { WebhookClaims } from './webhooks/webhook-claims.js';
import { WebhookDeliveriesController } from './webhooks/webhook-deliveries.controller.js';
import { WebhookHealth } from './webhooks/webhook-health.store.js';
import { WebhookChannel } from './webhooks/webhook.channel.js';
import { WEBHOOK_SETTINGS, webhookSettings } from './webhooks/webhook.settings.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';

/** Name of the service's database. */
export const databaseName = 'deskstream_assignment';

const stores = [
  ...[DirectoryStore, TrackedTickets, RuleBook, Agenda, HandBacks, NeedsLog, PolicyBook, WatchedTickets, StoreTime, Beginning, Judged, Targets, Deliveries],
  ...[NoticeTickets, NoticeStore, Preferences, ReadMarks, Correspondents, UpdateBook, DeliveryBook, InboundMails, InboundMailboxes, WebhookBook, WebhookHealth, Replays],
] as const;
/** Who says what is to be told of events, and the ways to tell it. */
const claimants: readonly Type<Claimant>[] = [Noticing, RequesterClaimant, WebhookClaims];
const channels: readonly Type<Channel>[] = [NoticeMails, RequesterChannel, WebhookChannel];
const consumers = [DirectoryConsumer, AssignmentConsumer, ClaimsConsumer, DeadlinesConsumer, DeadlineNoticesConsumer, CorrespondentsConsumer, MailResultsConsumer];
const controllers = [
  ...[RulesController, HandBacksController, PoliciesController, NoticesController, PreferencesController],
  ...[RepliesController, UpdatesController, DeliveryController, InboundMailController, WebhooksController, WebhookDeliveriesController],
];

/** Who should work on a ticket, and who must hear of it: it changes tickets by commands only. */
@Module({})
export class AssignmentNotificationModule implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly parts: ModuleRef) {}

  static with(config: Config, database = databaseName): DynamicModule {
    const { MONGODB_URI: uri, KAFKA_BROKERS: brokers, INTERNAL_KEY: key } = config;
    return {
      module: AssignmentNotificationModule,
      controllers: [...consumers, ...controllers],
      providers: [
        { provide: STORE, useFactory: () => openDatabase({ uri, database }) },
        { provide: INTERNAL_DOOR, useValue: { audience: 'assignment-notification', key } },
        { provide: RecordProducer, useFactory: () => new RecordProducer({ brokers, clientId: 'assignment-notification' }) },
        { provide: NAME_PARTS, useValue: { key, inboundDomain: config.INBOUND_DOMAIN, senderDomain: config.MAIL_FROM.address.split('@')[1]! } },
        { provide: REPLY_PAUSES, useValue: config.REPLY_PAUSES },
        { provide: AssistantPost, useFactory: (book: DeliveryBook) => new AssistantPost(book, webhookSettings(config)), inject: [DeliveryBook] },
        { provide: IMAP_SETTINGS, useValue: imapSettings(config) },
        ...[MailNames, Threads, InboundMail, MailboxPoll],
        { provide: Mailer, useFactory: () => new SmtpMailer(mailSettings(config)) },
        { provide: PUBLIC_URL, useValue: config.PUBLIC_URL },
        { provide: BROKERS, useValue: brokers },
        { provide: OutboundStreams, useFactory: () => new OutboundStreams(brokers) },
        { provide: WEBHOOK_SETTINGS, useValue: webhookSettings(config) },
        ...stores,
        ...claimants,
        ...channels,
        { provide: CLAIMANTS, useFactory: (...all: Claimant[]) => all, inject: [...claimants] },
        { provide: CHANNELS, useFactory: (...all: Channel[]) => all, inject: [...channels] },
        Courier,
        Dispatcher,
        Rehearsals,
        Messenger,
        { provide: HEARING, useFactory: (time: StoreTime) => hearingAt(brokers, () => time.now()), inject: [StoreTime] },
        Timekeeper,
        ...[NoticeReads, LiveNotices, Postbox, Replayer],
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
