import { randomUUID } from 'node:crypto';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { changeHeaders, directoryKey, directoryTypeOf, eventId, eventSource, topics, type Availability, type CommandValue, type DirectoryEntry, type Principal, type TicketEvent } from '#contracts';
import { Assertions } from '#internal';
import { RecordProducer, toHeaders, type DeadLetter, type IncomingRecord, type OutgoingRecord } from '#messaging';
import { ProblemFilter, SchemaPipe } from '#observability';
import type { Database } from '#persistence';
import { AssignmentConsumer } from '../src/assignment/assignment.consumer.js';
import { AssignmentNotificationModule } from '../src/assignment-notification.module.js';
import type { Config } from '../src/config.js';
import { ClaimsConsumer } from '../src/deliveries/claims.consumer.js';
import { DirectoryConsumer } from '../src/directory/directory.consumer.js';
import { STORE } from '../src/store.js';

const key = 'a key for specs that nobody guesses';

const config = (webhooks: Partial<Config>): Config => {
  const uri = process.env['MONGODB_URI'] ?? '';
  if (uri === '') throw new Error('MONGODB_URI is not set: the test driver (npm test) starts a store and sets it');
  return { KAFKA_BROKERS: [], MONGODB_URI: uri, INTERNAL_KEY: key, PORT: 0, MANAGEMENT_PORT: 0, HOST: '127.0.0.1', LOG_LEVEL: 'info', LOG_FORMAT: 'json', WEBHOOK_ALLOW_LOOPBACK: 'true', WEBHOOK_RETRY_PAUSES: [0.1, 0.1], WEBHOOK_SWITCH_OFF_AFTER: 432_000, ...webhooks };
};

/** A command that the service has sent. */
export interface Sent extends CommandValue<'ticket.assign.v1'> {
  commandId: string;
}

/** A record as its topic has it. */
export const recordOf = (topic: string, { key: name, value, headers }: { key: string; value: unknown; headers: Record<string, string> }): IncomingRecord => ({
  topic,
  partition: 0,
  offset: '0',
  timestamp: '0',
  key: Buffer.from(name),
  value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  headers,
  rawHeaders: [],
});

export const eventRecord = ({ type, ...value }: TicketEvent): IncomingRecord => {
  const { orgId, ticketId, version, at } = value;
  return recordOf(topics.events, { key: ticketId, value, headers: toHeaders({ id: eventId(ticketId, version), type, source: eventSource(orgId), subject: ticketId, time: at, orgId }) });
};

export const directoryRecord = (value: DirectoryEntry): IncomingRecord => {
  const name = directoryKey(value);
  return recordOf(topics.directory, { key: name, value, headers: toHeaders({ id: `${name}:${value.revision}`, type: directoryTypeOf(value), source: '/gateway', subject: name, time: '2026-01-01T00:00:00.000Z', orgId: value.orgId }) });
};

/** Somebody who is there at all times, but for what is said otherwise. */
export const member = (orgId: string, id: string, { revision = 1, deleted = false, ...availability }: Partial<Availability> & { revision?: number; deleted?: boolean } = {}): DirectoryEntry => ({
  orgId,
  kind: 'member',
  id,
  revision,
  deleted,
  value: { id, name: id.toUpperCase(), email: `${id}@example.org`, role: 'member', availability: { timeZone: 'UTC', workingHours: null, away: null, capacity: null, ...availability } },
});

const silent = (signal?: AbortSignal) => ({ signal: signal ?? new AbortController().signal });

/** The service over a listening port on a real store, without Kafka: specs hand it its rounds, and see what it sends. */
export class Running {
  readonly sent: Sent[] = [];
  /** Set to make sending fail. */
  trouble: Error | undefined;
  private app!: NestFastifyApplication;

  private constructor(readonly database: string) {}

  /** @param database another instance's, to share it */
  static async start(database = `spec_assignment_${randomUUID().slice(0, 8)}`, webhooks: Partial<Config> = {}): Promise<Running> {
    const running = new Running(database);
    const producer = { connect: async () => undefined, close: async () => undefined, send: async (records: readonly OutgoingRecord[]) => running.take(records) };
    const module = Test.createTestingModule({ imports: [AssignmentNotificationModule.with(config(webhooks), database)] }).overrideProvider(RecordProducer).useValue(producer);
    running.app = (await module.compile()).createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    running.app.useGlobalFilters(new ProblemFilter()).useGlobalPipes(new SchemaPipe());
    await running.app.listen(0, '127.0.0.1');
    return running;
  }

  get db() {
    return this.app.get<Database>(STORE).db;
  }

  follow(...events: readonly TicketEvent[]): Promise<DeadLetter[]> {
    return this.followRecords(...events.map(eventRecord));
  }

  followRecords(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    return this.app.get(AssignmentConsumer).follow({ records, ...silent() });
  }

  /** Has somebody told of what happened. */
  claim(...events: readonly TicketEvent[]): Promise<DeadLetter[]> {
    return this.app.get(ClaimsConsumer).claim({ records: events.map(eventRecord), ...silent() });
  }

  know(...entries: DirectoryEntry[]): Promise<DeadLetter[]> {
    return this.knowRecords(...entries.map(directoryRecord));
  }

  knowRecords(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    return this.app.get(DirectoryConsumer).keep({ records, ...silent() });
  }

  /** Asks as a gateway does. */
  async ask(principal: Principal, method: string, path: string, { body, id = randomUUID(), hash = 'hash', audience = 'assignment-notification' }: { body?: unknown; id?: string; hash?: string; audience?: string } = {}) {
    const headers: Record<string, string> = { authorization: `Bearer ${await new Assertions(key, audience).for(principal)}`, [changeHeaders.id]: id, [changeHeaders.hash]: hash };
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

  private take(records: readonly OutgoingRecord[]) {
    if (this.trouble) throw this.trouble;
    this.sent.push(...records.map(({ value, headers }) => ({ commandId: (headers as Record<string, string>)['ce_id']!, ...(JSON.parse(String(value)) as CommandValue<'ticket.assign.v1'>) })));
  }
}
