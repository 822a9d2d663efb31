import { randomUUID } from 'node:crypto';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { changeHeaders, directoryKey, directoryTypeOf, eventId, eventSource, topics, type Availability, type CommandValue, type DeadlineNews, type DirectoryEntry, type NoticeTold, type Principal, type Role, type TicketEvent } from '#contracts';
import { Assertions } from '#internal';
import { RecordProducer, toHeaders, type DeadLetter, type IncomingRecord, type OutgoingRecord } from '#messaging';
import { ProblemFilter, SchemaPipe } from '#observability';
import type { Database } from '#persistence';
import { AssignmentConsumer } from '../src/assignment/assignment.consumer.js';
import { AssignmentNotificationModule } from '../src/assignment-notification.module.js';
import type { Config } from '../src/config.js';
import { DeadlinesConsumer } from '../src/deadlines/deadlines.consumer.js';
import { HEARING, type Hearing } from '../src/deadlines/hearing.js';
import { ClaimsConsumer } from '../src/deliveries/claims.consumer.js';
import { DirectoryConsumer } from '../src/directory/directory.consumer.js';
import { DeadlineNoticesConsumer } from '../src/notices/deadline-notices.consumer.js';
import { Noticing, type Announcement } from '../src/notices/noticing.js';
import { STORE } from '../src/store.js';

const key = 'a key for specs that nobody guesses';

const config = (settings: Partial<Config>): Config => {
  const uri = process.env['MONGODB_URI'] ?? '';
  if (uri === '') throw new Error('MONGODB_URI is not set: the test driver (npm test) starts a store and sets it');
  const mails = { MAIL_FROM: { name: 'Deskstream', address: 'support@deskstream.localhost' }, SMTP_CONNECTIONS: 5, INBOUND_DOMAIN: 'in.deskstream.localhost', REPLY_PAUSES: [0.05, 0.05], PUBLIC_URL: 'http://desk.example.org' };
  const webhooks = { WEBHOOK_ALLOW_LOOPBACK: 'true' as const, WEBHOOK_RETRY_PAUSES: [0.1, 0.1], WEBHOOK_SWITCH_OFF_AFTER: 432_000 };
  const imap = { IMAP_FOLDER: 'INBOX', IMAP_TAKEN_FOLDER: 'Taken', IMAP_ASIDE_FOLDER: 'Set aside', IMAP_INTERVAL: 0.1 };
  return { KAFKA_BROKERS: [], MONGODB_URI: uri, INTERNAL_KEY: key, PORT: 0, MANAGEMENT_PORT: 0, HOST: '127.0.0.1', LOG_LEVEL: 'info', LOG_FORMAT: 'json', ...mails, ...imap, ...webhooks, ...settings };
};

/** What somebody asks beside where. */
interface Asked {
  body?: unknown;
  id?: string;
  hash?: string;
  expected?: number;
  audience?: string;
}

/** A command that the service has sent. */
export interface Sent extends CommandValue<'ticket.assign.v1'> {
  commandId: string;
}

/** A message about deadlines that the service has sent. */
export type ToldDeadline = DeadlineNews & { messageId: string; text: string };

/** Where the next record lies: each in a partition of its own, so that specs may hand them over in any order. */
let nextPartition = 0;

/** A record as its topic has it. */
export const recordOf = (topic: string, { key: name, value, headers }: { key: string; value: unknown; headers: Record<string, string> }): IncomingRecord => ({
  topic,
  partition: nextPartition++,
  offset: '0',
  timestamp: String(Date.now()),
  key: Buffer.from(name),
  value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  headers,
  rawHeaders: [],
});

export const eventRecord = ({ type, ...value }: TicketEvent): IncomingRecord => {
  const { orgId, ticketId, version, at } = value;
  return recordOf(topics.events, { key: ticketId, value, headers: toHeaders({ id: eventId(ticketId, version), type, source: eventSource(orgId), subject: ticketId, time: at, orgId }) });
};

export const deadlineRecord = ({ type, ...value }: DeadlineNews): IncomingRecord => {
  const { orgId, ticketId, at, revision } = value;
  return recordOf(topics.deadlines, { key: ticketId, value, headers: toHeaders({ id: `${ticketId}:${revision}`, type, source: '/assignment-notification', subject: ticketId, time: at, orgId }) });
};

export const directoryRecord = (value: DirectoryEntry): IncomingRecord => {
  const name = directoryKey(value);
  return recordOf(topics.directory, { key: name, value, headers: toHeaders({ id: `${name}:${value.revision}`, type: directoryTypeOf(value), source: '/gateway', subject: name, time: '2026-01-01T00:00:00.000Z', orgId: value.orgId }) });
};

/** Somebody who is there at all times, but for what is said otherwise. */
export const member = (orgId: string, id: string, { revision = 1, deleted = false, role = 'member', name = id.toUpperCase(), ...availability }: Partial<Availability> & { revision?: number; deleted?: boolean; role?: Role; name?: string } = {}): DirectoryEntry => ({
  orgId,
  kind: 'member',
  id,
  revision,
  deleted,
  value: { id, name, email: `${id}@example.org`, role, availability: { timeZone: 'UTC', workingHours: null, away: null, capacity: null, ...availability } },
});

/** Somebody's assistant. */
export const assistant = (orgId: string, id: string, memberIds: string[], revision = 1): DirectoryEntry => ({ orgId, kind: 'assistant', id, revision, deleted: false, value: { id, name: id, memberIds } });

const silent = (signal?: AbortSignal) => ({ signal: signal ?? new AbortController().signal });

/** The service over a listening port on a real store, without Kafka: specs hand it its rounds, and see what it sends. */
export class Running {
  readonly sent: Sent[] = [];
  /** What was told of deadlines, as it was sent. */
  readonly told: ToldDeadline[] = [];
  /** What it has told of notices. */
  readonly notices: NoticeTold[] = [];
  /** Set to make sending fail. */
  trouble: Error | undefined;
  /** Up to when events were heard: all there are, unless set. */
  heardUpTo = Infinity;
  /** How far the store's clock is ahead of the real one, ms; `StoreTime` believes it after a while. */
  storeAheadMs = 0;
  private app!: NestFastifyApplication;

  private constructor(readonly database: string) {}

  /** @param database another instance's, to share it */
  static async start(database = `spec_assignment_${randomUUID().slice(0, 8)}`, settings: Partial<Config> = {}): Promise<Running> {
    const running = new Running(database);
    const producer = { connect: async () => undefined, close: async () => undefined, send: async (records: readonly OutgoingRecord[]) => running.take(records) };
    const hearing: Hearing = {
      get heardUpTo() {
        return running.heardUpTo;
      },
      start: () => undefined,
      stop: async () => undefined,
    };
    const module = Test.createTestingModule({ imports: [AssignmentNotificationModule.with(config(settings), database)] });
    module.overrideProvider(RecordProducer).useValue(producer).overrideProvider(HEARING).useValue(hearing);
    running.app = (await module.compile()).createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    running.shiftStore();
    running.app.useGlobalFilters(new ProblemFilter()).useGlobalPipes(new SchemaPipe());
    await running.app.listen(0, '127.0.0.1');
    return running;
  }

  get db() {
    return this.app.get<Database>(STORE).db;
  }

  /** A part of the service, to be hindered or asked by itself. */
  part<T>(type: Type<T>): T {
    return this.app.get(type);
  }

  follow(...events: readonly TicketEvent[]): Promise<DeadLetter[]> {
    return this.followRecords(...events.map(eventRecord));
  }

  /** To all that read the events topic; only the consumer of assignment gives up on records. */
  async followRecords(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    const [dead] = await Promise.all([this.app.get(AssignmentConsumer).follow({ records, ...silent() }), this.app.get(DeadlinesConsumer).follow({ records, ...silent() })]);
    return dead;
  }

  /** Hands events to who tells people and systems of them. */
  tell(...events: readonly TicketEvent[]): Promise<DeadLetter[]> {
    return this.tellRecords(...events.map(eventRecord));
  }

  tellRecords(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    return this.app.get(ClaimsConsumer).claim({ records, ...silent() });
  }

  /** Hands it what is told of deadlines. */
  tellDeadlines(...news: readonly DeadlineNews[]): Promise<DeadLetter[]> {
    return this.tellDeadlineRecords(...news.map(deadlineRecord));
  }

  tellDeadlineRecords(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    return this.app.get(DeadlineNoticesConsumer).tell({ records, ...silent() });
  }

  /** Tells administrators of something, as other parts of the service do. */
  announce(orgId: string, announcement: Announcement): Promise<void> {
    return this.app.get(Noticing).announce(orgId, announcement);
  }

  know(...entries: DirectoryEntry[]): Promise<DeadLetter[]> {
    return this.knowRecords(...entries.map(directoryRecord));
  }

  knowRecords(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    return this.app.get(DirectoryConsumer).keep({ records, ...silent() });
  }

  /** Asks as a gateway does. */
  async ask(principal: Principal, method: string, path: string, asked: Asked = {}) {
    const { body, id, hash, expected, audience } = { id: randomUUID(), hash: 'hash', audience: 'assignment-notification', ...asked };
    const change = { [changeHeaders.id]: id, [changeHeaders.hash]: hash, ...(expected !== undefined && { [changeHeaders.expected]: String(expected) }) };
    const headers: Record<string, string> = { authorization: `Bearer ${await new Assertions(key, audience).for(principal)}`, ...change };
    const response = await fetch(`${await this.app.getUrl()}/v1${path}`, { method, headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await response.text();
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- specs look into bodies of every shape
    return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as any };
  }

  /** Stops; the database goes unless another instance still uses it. */
  async stop({ keep = false } = {}): Promise<void> {
    const { db } = this;
    if (!keep) await db.dropDatabase();
    await this.app.close();
  }

  private shiftStore(): void {
    const { db } = this;
    const command = db.command.bind(db);
    db.command = async (asked, ...more) => {
      const answer = await command(asked, ...more);
      const { localTime } = answer as { localTime?: Date };
      return localTime === undefined ? answer : { ...answer, localTime: new Date(localTime.getTime() + this.storeAheadMs) };
    };
  }

  private take(records: readonly OutgoingRecord[]) {
    if (this.trouble) throw this.trouble;
    this.notices.push(...records.filter(({ topic }) => topic === topics.notices).map(({ value }) => JSON.parse(String(value)) as NoticeTold));
    const news = records.filter(({ topic }) => topic === topics.deadlines);
    this.told.push(...news.map(({ value, headers }) => ({ ...(JSON.parse(String(value)) as DeadlineNews), type: (headers as Record<string, string>)['ce_type'], messageId: (headers as Record<string, string>)['ce_id'], text: String(value) }) as ToldDeadline));
    this.sent.push(...records.filter(({ topic }) => topic === topics.commands).map(({ value, headers }) => ({ commandId: (headers as Record<string, string>)['ce_id']!, ...(JSON.parse(String(value)) as CommandValue<'ticket.assign.v1'>) })));
  }
}
