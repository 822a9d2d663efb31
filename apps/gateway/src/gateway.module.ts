import { Logger, Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit, type Provider } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Fault, readSystemTopics, RecordProducer } from '#messaging';
import type { DirectoryEntry } from '#contracts';
import { patiently } from '#observability';
import { openDatabase, type Database } from '#persistence';
import { Agents } from './agents.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeyStore } from './api-keys.store.js';
import { AssignmentController } from './assignment.controller.js';
import { AssistantsController } from './assistants.controller.js';
import { AuthGuard } from './auth.guard.js';
import { CommandBus } from './command-bus.js';
import { CommandsController } from './commands.controller.js';
import { ContractsController, ProblemsController, ReferenceController } from './contracts.controller.js';
import type { Config } from './config.js';
import { DeadlinesController } from './deadlines.controller.js';
import { settleDeparture } from './departures.js';
import { DeadLetters } from './dead-letters.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { Directory } from './directory.js';
import { DirectoryPublisher } from './directory.publisher.js';
import { fill, readProducers, readSeed, type Seed } from './directory.seed.js';
import { DirectoryStore } from './directory.store.js';
import { Downloads } from './downloads.js';
import { EventsController } from './events.controller.js';
import { Forwards } from './forwards.js';
import { HealthController } from './health.controller.js';
import { IssuerKeys } from './issuer-keys.js';
import { KeyRing } from './key-ring.js';
import { KeyUses } from './key-uses.js';
import { MailSignatures } from './mail-signatures.js';
import { MailsController } from './mails.controller.js';
import { NoticesController } from './notices.controller.js';
import { PendingCommands } from './pending-commands.store.js';
import { People } from './people.js';
import { PeopleController } from './people.controller.js';
import { ProducersController } from './producers.controller.js';
import { PublishedFiles } from './published-files.js';
import { Queries } from './queries.js';
import { Reads } from './reads.js';
import { ResultWaiters } from './result-waiters.js';
import { ResultsConsumer } from './results.consumer.js';
import { SignIns } from './sign-ins.js';
import { StatsController } from './stats.controller.js';
import { DeadlinesConsumer } from './stream/deadlines.consumer.js';
import { NoticesConsumer } from './stream/notices.consumer.js';
import { Streams } from './stream/streams.js';
import { SuggestController } from './suggest.controller.js';
import { clusterAt, SystemTopics } from './system-topics.js';
import { TicketsController } from './tickets.controller.js';
import { TokenVerifier } from './token-verifier.js';
import { WebhooksController } from './webhooks.controller.js';
import { Writes } from './writes.js';

/** The gateway's own database. */
export const STORE = Symbol('store');
/** What files say of the directory. */
const SEEDS = Symbol('seeds');

/** The public door. */
@Module({})
export class GatewayModule implements OnModuleInit, OnApplicationShutdown {
  /** The store is prepared and holds what the files say; until then nobody's rights are known. */
  isFilled = false;
  private readonly logger = new Logger('gateway');

  constructor(private readonly parts: ModuleRef) {}

  static with(config: Config): DynamicModule {
    const { MONGODB_URI: uri, KAFKA_BROKERS: brokers } = config;
    return {
      module: GatewayModule,
      controllers: [TicketsController, SuggestController, StatsController, CommandsController, EventsController, PeopleController, AssistantsController, ApiKeysController, ProducersController, DeadLettersController, AssignmentController, DeadlinesController, NoticesController, MailsController, WebhooksController, ContractsController, ReferenceController, ProblemsController, HealthController, ResultsConsumer, DeadlinesConsumer, NoticesConsumer],
      providers: [
        { provide: STORE, useFactory: () => openDatabase({ uri, database: 'deskstream_gateway' }) },
        { provide: SEEDS, useFactory: () => seedsOf(config) },
        { provide: RecordProducer, useFactory: () => new RecordProducer({ brokers, clientId: 'gateway' }) },
        { provide: DirectoryStore, useFactory: (store: Database) => new DirectoryStore(store), inject: [STORE] },
        { provide: Directory, useFactory: (store: DirectoryStore) => new Directory(store), inject: [DirectoryStore] },
        {
          provide: DirectoryPublisher,
          useFactory: (store: DirectoryStore, producer: RecordProducer, systems: SystemTopics) => new DirectoryPublisher(store, producer, Date.now, (entry) => isSettled(entry, store, systems)),
          inject: [DirectoryStore, RecordProducer, SystemTopics],
        },
        {
          provide: SystemTopics,
          useFactory: async (store: DirectoryStore) => new SystemTopics(clusterAt(brokers), await readSystemTopics(config.TOPICS_FILE, config.TOPICS_PROFILE), store),
          inject: [DirectoryStore],
        },
        ...signIns(config),
        { provide: DeadLetters, useFactory: (store: DirectoryStore) => new DeadLetters(brokers, store), inject: [DirectoryStore] },
        { provide: PendingCommands, useFactory: (store: Database) => new PendingCommands(store), inject: [STORE] },
        ResultWaiters,
        {
          provide: CommandBus,
          useFactory: (producer: RecordProducer, waiters: ResultWaiters, pending: PendingCommands) => new CommandBus(producer, waiters, pending),
          inject: [RecordProducer, ResultWaiters, PendingCommands],
        },
        { provide: Queries, useFactory: () => new Queries(config.QUERY_URL, config.INTERNAL_KEY) },
        { provide: Forwards, useFactory: () => new Forwards(config.ASSIGNMENT_URL, config.INTERNAL_KEY) },
        { provide: MailSignatures, useFactory: () => new MailSignatures(config.INBOUND_EMAIL_SECRET) },
        PublishedFiles,
        ...[Reads, Downloads, Streams, Writes],
      ],
    };
  }

  /** Neither store nor broker is waited for: reads may work while one of them is away, and readiness tells. */
  onModuleInit(): void {
    void this.connect().catch((error: unknown) => this.logger.fatal({ msg: 'the producer cannot connect', err: error }));
    void this.fillDirectory().catch((error: unknown) => this.logger.fatal({ msg: 'the directory cannot be filled', err: error }));
  }

  /** After the last request was answered. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.get(SignIns).stop();
    await this.parts.get(DirectoryPublisher).stop();
    await this.parts.get(SystemTopics).stop();
    await this.parts.get(KeyUses).stop();
    await this.parts.get(RecordProducer).close();
    await this.parts.get(Queries).close();
    await this.parts.get(Forwards).close();
    await this.parts.get<Database>(STORE).close();
  }

  private async connect() {
    const producer = this.parts.get(RecordProducer);
    await patiently('connecting to Kafka', () => producer.connect().catch((cause: unknown) => Promise.reject(new Fault('no broker', { cause }))));
  }

  private async fillDirectory() {
    const store = this.parts.get(DirectoryStore);
    const seeds = this.parts.get<Seed[]>(SEEDS, { strict: false });
    const stores = [store, this.parts.get(PendingCommands), this.parts.get(ApiKeyStore)];
    await patiently('preparing the store', () => Promise.all(stores.map((one) => one.prepare())));
    for (const seed of seeds) await patiently('filling the directory', () => fill(store, seed));
    this.isFilled = true;
    this.parts.get(SignIns).start();
    this.parts.get(SystemTopics).start();
    this.parts.get(DirectoryPublisher).start();
    this.parts.get(KeyUses).start();
  }
}

const seedsOf = ({ DIRECTORY_FILE: people, PRODUCERS_FILE: producers }: Config): Seed[] => [
  ...(people === undefined ? [] : [readSeed(people)]),
  ...(producers === undefined ? [] : [readProducers(producers)]),
];

/** What must be true before anybody hears of an entry. */
async function isSettled(entry: DirectoryEntry, store: DirectoryStore, systems: SystemTopics): Promise<boolean> {
  await settleDeparture(store, entry);
  return hasTopics(entry, systems);
}

/** Nobody hears of an outside system before its topics are there: whoever reads them would have to wait for them. */
async function hasTopics(entry: DirectoryEntry, systems: SystemTopics): Promise<boolean> {
  if (entry.kind !== 'producer' || entry.deleted) return true;
  try {
    await systems.make(entry.id);
    return true;
  } catch (error) {
    new Logger('topics').warn({ msg: 'an outside system waits for its topics', system: entry.id, err: error });
    return false;
  }
}

/** What the guard judges callers by: sign-ins of people, API keys of agents. */
const signIns = ({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, CONSOLE_CLIENT_ID: consoleId }: Config): Provider[] => [
  { provide: IssuerKeys, useFactory: () => new IssuerKeys(issuer) },
  { provide: TokenVerifier, useFactory: (keys: IssuerKeys) => new TokenVerifier(keys, { issuer, audience }), inject: [IssuerKeys] },
  { provide: SignIns, useFactory: (store: DirectoryStore, directory: Directory) => new SignIns(store, directory), inject: [DirectoryStore, Directory] },
  {
    provide: People,
    useFactory: (tokens: TokenVerifier, directory: Directory, signIns: SignIns) => new People({ tokens, directory, signIns }, consoleId),
    inject: [TokenVerifier, Directory, SignIns],
  },
  { provide: ApiKeyStore, useFactory: (store: Database) => new ApiKeyStore(store), inject: [STORE] },
  { provide: KeyUses, useFactory: (keys: ApiKeyStore) => new KeyUses(keys), inject: [ApiKeyStore] },
  {
    provide: Agents,
    useFactory: (keys: ApiKeyStore, directory: Directory, uses: KeyUses) => new Agents(new KeyRing(keys), directory, uses),
    inject: [ApiKeyStore, Directory, KeyUses],
  },
  { provide: AuthGuard, useFactory: (people: People, agents: Agents) => new AuthGuard(people, agents), inject: [People, Agents] },
];
