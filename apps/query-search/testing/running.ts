import { randomUUID } from 'node:crypto';
import type { Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { SignJWT } from 'jose';
import { maxListDepth, type Principal, type TicketEvent } from '#contracts';
import type { DeadLetter, IncomingRecord } from '#messaging';
import { ProblemFilter, SchemaPipe } from '#observability';
import type { Database } from '#persistence';
import { CommandResultsConsumer } from '../src/command-results.consumer.js';
import type { Config } from '../src/config.js';
import { DeadlinesConsumer } from '../src/deadlines.consumer.js';
import type { ReadModel } from '../src/generations/read-model.js';
import { Readings } from '../src/generations/readings.js';
import { QuerySearchModule } from '../src/query-search.module.js';
import type { SearchLimits } from '../src/search/mongo-search.store.js';
import { SearchConsumer } from '../src/search/search.consumer.js';
import { STORE } from '../src/store.js';
import { TicketViewConsumer } from '../src/ticket-view.consumer.js';
import { silentFeed } from './silence.js';
import { recordOf, roundOf } from './stories.js';

const key = 'a key for specs that nobody guesses';

/** The real store that the test driver started. */
const uri = process.env['MONGODB_URI'] ?? '';
if (uri === '') throw new Error('MONGODB_URI is not set: the test driver (npm test) starts a store and sets it');

const config: Config = { KAFKA_BROKERS: [], MONGODB_URI: uri, INTERNAL_KEY: key, PORT: 0, MANAGEMENT_PORT: 0, HOST: '127.0.0.1', LOG_LEVEL: 'info', LOG_FORMAT: 'json' };

/** An assertion as the gateway signs it. */
export const assertionOf = (principal: unknown, { secret = key, audience = 'query-search', issuer = 'gateway', expires = '60s' } = {}) =>
  new SignJWT({ principal }).setProtectedHeader({ alg: 'HS256' }).setIssuer(issuer).setAudience(audience).setExpirationTime(expires).sign(Buffer.from(secret));

export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- specs look into bodies of every shape
  body: any;
}

/** How often it may be asked in all where a read model is there: few will do for what is slow now and then. */
async function mostTries(answer: Response): Promise<number> {
  const { type, totalIsExact, total = 0 } = (await answer.clone().json()) as { type?: string; totalIsExact?: boolean; total?: number };
  return type === '/problems/dependency-unavailable' || (totalIsExact === false && total < maxListDepth) ? 3 : 1;
}

/** Whether there is something to it: no answer, or a page, whose total may have taken too long. */
const isDoubtful = ({ status, headers }: Response) => status === 503 || headers.has('link');

const answerOf = async (response: Response): Promise<Answer> => ({ status: response.status, headers: response.headers, body: await response.json() });

/** query-search over a listening port on a real store, without Kafka: specs hand it its rounds. */
export class Running {
  private constructor(
    readonly database: string,
    private readonly app: NestFastifyApplication,
    readonly url: string,
  ) {}

  /** @param database another instance's, to share it @param limits of searching, the usual ones unless given @param isWatched the store's client tells its commands as events */
  static async start(database = `spec_query_${randomUUID().slice(0, 8)}`, limits?: SearchLimits, isWatched = false): Promise<Running> {
    const watched = new URL(uri);
    watched.searchParams.set('monitorCommands', String(isWatched));
    const module = QuerySearchModule.with({ ...config, MONGODB_URI: watched.href }, { database, limits, feeds: silentFeed, build: () => Promise.resolve(false) });
    const app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(new ProblemFilter()).useGlobalPipes(new SchemaPipe());
    await app.listen(0, '127.0.0.1');
    return new Running(database, app, await app.getUrl());
  }

  get db() {
    return this.app.get<Database>(STORE).db;
  }

  /** A part of the service, for specs that hand it what nobody else would. */
  part<T>(type: Type<T>): T {
    return this.model.get(type);
  }

  /** The live read model: the one that was, where a slow machine has just kept the instance from saying that it is there. */
  private get model(): ReadModel {
    return (this.known = this.answering ?? this.known)!;
  }
  private known: ReadModel | undefined;

  private get answering(): ReadModel | undefined {
    return this.app.get<Readings<ReadModel>>(Readings).answering();
  }

  /** Hands over events as one round. */
  project(...events: TicketEvent[]): Promise<DeadLetter[]> {
    return this.projectRecords(...events.map((event) => recordOf(event)));
  }

  /** To all that read the events topic; only the views' consumer gives up on records. */
  async projectRecords(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    const [dead, none] = await Promise.all([this.part(TicketViewConsumer).project(roundOf(...records)), this.part(SearchConsumer).index(roundOf(...records))]);
    return [...dead, ...none];
  }

  /** Hands over what is told of deadlines as one round. */
  hear(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    return this.part(DeadlinesConsumer).project(roundOf(...records));
  }

  remember(...records: IncomingRecord[]): Promise<DeadLetter[]> {
    return this.app.get(CommandResultsConsumer).remember(roundOf(...records));
  }

  async get(principal: Principal, path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request(path, { authorization: `Bearer ${await assertionOf(principal)}`, ...headers });
  }

  /** The answer as it comes. */
  async open(principal: Principal, path: string, signal?: AbortSignal): Promise<Response> {
    const authorization = `Bearer ${await assertionOf(principal)}`;
    return this.patiently(() => fetch(`${this.url}/v1${path}`, { headers: { authorization }, ...(signal && { signal }) }));
  }

  async request(path: string, headers: Record<string, string>): Promise<Answer> {
    return answerOf(await this.patiently(() => fetch(`${this.url}/v1${path}`, { headers })));
  }

  /** The first answer, also where it is that there is none just now. */
  async once(principal: Principal, path: string): Promise<Answer> {
    return answerOf(await fetch(`${this.url}/v1${path}`, { headers: { authorization: `Bearer ${await assertionOf(principal)}` } }));
  }

  /** Asks again what was refused because the instance had no read model just then, or its store took longer than a question may, as on a slow machine. */
  private async patiently(ask: () => Promise<Response>): Promise<Response> {
    for (let tries = 1; ; tries += 1) {
      const before = this.answering;
      const response = await ask();
      if (!isDoubtful(response)) return response;
      const hasLost = response.status === 503 && (before === undefined || this.answering === undefined);
      if (tries >= (hasLost ? 10 : await mostTries(response))) return response;
      await response.body?.cancel();
    }
  }

  /** Stops; the database goes unless another instance still uses it. */
  async stop({ keep = false } = {}): Promise<void> {
    if (!keep) await this.db.dropDatabase();
    await this.app.close();
  }
}
