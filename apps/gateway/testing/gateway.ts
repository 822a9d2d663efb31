import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { CommandResult, DirectoryEntry, Principal, Ticket } from '#contracts';
import { Health, ProblemFilter, SchemaPipe } from '#observability';
import { Agents } from '../src/agents.js';
import { ApiKeysController } from '../src/api-keys.controller.js';
import { ApiKeyStore } from '../src/api-keys.store.js';
import { AssignmentController } from '../src/assignment.controller.js';
import { NoticesController } from '../src/notices.controller.js';
import { AssistantsController } from '../src/assistants.controller.js';
import { AuthGuard } from '../src/auth.guard.js';
import { CommandBus, type Outgoing } from '../src/command-bus.js';
import { CommandsController } from '../src/commands.controller.js';
import { ContractsController, ProblemsController, ReferenceController } from '../src/contracts.controller.js';
import { DeadLetters } from '../src/dead-letters.js';
import { DeadLettersController } from '../src/dead-letters.controller.js';
import { Directory } from '../src/directory.js';
import { DirectoryStore } from '../src/directory.store.js';
import { doorOptions, openDoor } from '../src/door.js';
import { PendingCommands } from '../src/pending-commands.store.js';
import { ticketOf } from '../../../libs/contracts/testing/builders.js';
import { PublishedFiles } from '../src/published-files.js';
import { Downloads } from '../src/downloads.js';
import { EventsController } from '../src/events.controller.js';
import { Forwards } from '../src/forwards.js';
import { MailSignatures } from '../src/mail-signatures.js';
import { MailsController } from '../src/mails.controller.js';
import { HealthController } from '../src/health.controller.js';
import { IssuerKeys } from '../src/issuer-keys.js';
import { KeyRing } from '../src/key-ring.js';
import { People } from '../src/people.js';
import { PeopleController } from '../src/people.controller.js';
import { ProducersController } from '../src/producers.controller.js';
import { Queries, type Query, type QueryAnswer } from '../src/queries.js';
import { Reads } from '../src/reads.js';
import { SignIns } from '../src/sign-ins.js';
import { Streams } from '../src/stream/streams.js';
import { StatsController } from '../src/stats.controller.js';
import { SystemTopics } from '../src/system-topics.js';
import { TicketsController } from '../src/tickets.controller.js';
import { TokenVerifier } from '../src/token-verifier.js';
import { Writes } from '../src/writes.js';
import { KeysInMemory } from './keys-in-memory.js';
import { startIssuer, signingKey, token, type FakeIssuer, type SigningKey, type TokenOptions } from './tokens.js';

/** Signs mails that specs hand in. */
export const inboundEmailSecret = `whsec_${Buffer.from('a secret that mail servers share').toString('base64')}`;

/** A gateway over a listening port whose bus and queries are told what to say, and remember what they were asked. */
export interface TestGateway {
  url: string;
  port: number;
  sent: Outgoing[];
  asked: Query[];
  answers: {
    bus: (command: Outgoing, options: { respondAsync?: boolean }) => CommandResult | 'pending' | Promise<CommandResult | 'pending'>;
    query: (query: Query) => QueryAnswer;
    pending: (principal: Principal, commandId: string) => string | null;
  };
  issuer: FakeIssuer;
  key: SigningKey;
  keys: KeysInMemory;
  token(options?: Partial<TokenOptions>): Promise<string>;
  stop(): Promise<void>;
}

const entries: DirectoryEntry[] = [
  { orgId: 'acme', kind: 'member', id: 'grace', revision: 1, deleted: false, value: { id: 'grace', name: 'Grace', email: 'grace@acme.example', role: 'member' } },
  { orgId: 'acme', kind: 'assistant', id: 'billing-bot', revision: 1, deleted: false, value: { id: 'billing-bot', name: 'Billing', memberIds: ['grace'] } },
];

export const aTicket = (changes: Partial<Ticket> = {}): Ticket => ticketOf({ id: randomUUID(), updatedAt: '2026-01-02T00:00:00.000Z', version: 2, ...changes });

/** The result of a command that was applied. */
export const applied = ({ commandId, value }: Outgoing, changes: Partial<CommandResult> = {}): CommandResult => ({
  commandId,
  orgId: value.orgId,
  ticketId: value.ticketId,
  actor: value.actor,
  payloadHash: value.payloadHash,
  outcome: 'applied',
  version: 2,
  ticket: aTicket({ id: value.ticketId }),
  ...changes,
});

const json = (status: number, body: unknown, headers: Record<string, string> = {}): QueryAnswer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: Buffer.from(JSON.stringify(body)),
});

/** Real parts instead of those that say what they are told. */
interface RealParts {
  queries?: Queries;
  /** Without it the directory is what `entries` says, and nobody can be put into it. */
  store?: DirectoryStore;
  systems?: SystemTopics;
  letters?: DeadLetters;
  forwards?: Forwards;
}

function directoryOver(store?: DirectoryStore) {
  const directory = new Directory(store ?? { read: async (orgId) => entries.filter((entry) => entry.orgId === orgId), departures: async () => new Map() });
  const signIns = new SignIns(store ?? { edit: async () => Promise.reject(new Error('nobody is put down')) }, directory);
  if (store) signIns.start();
  return { directory, signIns };
}

export async function openGateway({ queries, store, systems, letters, forwards }: RealParts = {}): Promise<TestGateway> {
  const key = await signingKey('key-1');
  const issuer = await startIssuer([key]);
  const sent: Outgoing[] = [];
  const asked: Query[] = [];
  const answers: TestGateway['answers'] = { bus: (command) => applied(command), query: () => json(200, { items: [] }), pending: () => null };
  const tokens = new TokenVerifier(new IssuerKeys(issuer.url), { issuer: issuer.url, audience: 'deskstream' });
  const { directory, signIns } = directoryOver(store);
  const keys = new KeysInMemory();
  const agents = new Agents(new KeyRing(keys), directory, { note: () => undefined });
  const providers = [
    { provide: AuthGuard, useValue: new AuthGuard(new People({ tokens, directory, signIns }, 'deskstream-console'), agents) },
    { provide: ApiKeyStore, useValue: keys },
    { provide: Directory, useValue: directory },
    { provide: SignIns, useValue: signIns },
    { provide: DirectoryStore, useValue: store ?? {} },
    { provide: SystemTopics, useValue: systems ?? {} },
    { provide: DeadLetters, useValue: letters ?? {} },
    {
      provide: CommandBus,
      useValue: {
        send: async (command: Outgoing, options: { respondAsync?: boolean }) => {
          sent.push(command);
          return answers.bus(command, options);
        },
      },
    },
    {
      provide: Queries,
      useValue: queries ?? {
        ask: async (query: Query) => {
          asked.push(query);
          return answers.query(query);
        },
      },
    },
    { provide: PendingCommands, useValue: { ticketOf: async (principal: Principal, id: string) => answers.pending(principal, id) } },
    { provide: Forwards, useValue: forwards ?? {} },
    { provide: MailSignatures, useFactory: () => new MailSignatures(inboundEmailSecret) },
    PublishedFiles,
    Reads,
    Downloads,
    Streams,
    Writes,
  ];
  const module = await Test.createTestingModule({ controllers: [TicketsController, StatsController, CommandsController, EventsController, PeopleController, AssistantsController, ApiKeysController, ProducersController, DeadLettersController, AssignmentController, NoticesController, MailsController, HealthController, ContractsController, ReferenceController, ProblemsController], providers: [...providers, Health] }).compile();
  const adapter = new FastifyAdapter({ ...doorOptions, genReqId: () => randomUUID() } as ConstructorParameters<typeof FastifyAdapter>[0]);
  const app = module.createNestApplication<NestFastifyApplication>(adapter);
  app.useLogger(false);
  app.useGlobalFilters(new ProblemFilter()).useGlobalPipes(new SchemaPipe());
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      void reply.header('x-request-id', request.id);
      done();
    });
  openDoor(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const stop = async () => {
    await app.close();
    await signIns.stop();
    await issuer.stop();
  };
  return { url: `http://127.0.0.1:${port}`, port, sent, asked, answers, issuer, key, keys, token: (options) => token({ issuer: issuer.url, key, ...options }), stop };
}
