import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { CommandResult, CommandValue } from '#contracts';
import { ensureTopics, readEnvelope, RecordProducer, RoundTransport, Subscribe, type Round } from '#messaging';
import type { ProblemError } from '#observability';
import { openDatabase, type Database } from '#persistence';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { apis, KafkaProxy } from '../../../libs/messaging/testing/kafka-proxy.js';
import { applied } from '../testing/gateway.js';
import { patience } from '../testing/stores.js';
import { CommandBus, type Outgoing } from './command-bus.js';
import { PendingCommands } from './pending-commands.store.js';
import { ResultWaiters } from './result-waiters.js';
import { ResultsConsumer } from './results.consumer.js';

/** Topics of this run only: other specs work with the real names at the same time. */
const run = randomUUID();
const commands = `test.commands.${run}`;
const results = `test.results.${run}`;
const brokers = process.env['KAFKA_BROKERS']!.split(',');

type Conduct = 'at once' | 'late' | 'never' | 'twice' | 'first hash' | 'broken first';

/** The results topic of this run, given to the real consumer. */
@Controller()
class Results {
  constructor(private readonly consumer: ResultsConsumer) {}

  @Subscribe({ topic: results, group: `test.results.${run}`, perInstance: true, startFrom: 'end' })
  handle(round: Round) {
    return this.consumer.handle(round);
  }
}

let firstHash = '';
/** Results that are told after those who asked have gone. */
const late: Promise<void>[] = [];
const tellLate: (() => void)[] = [];
/** Ids of the commands that arrived. */
const heard: string[] = [];

/** Answers each command as its reason says. */
@Controller()
class FakeTicketCommand {
  static producer: RecordProducer;

  @Subscribe({ topic: commands, group: `test.ticket-command.${run}` })
  async handle({ records }: Round): Promise<void> {
    await Promise.all(
      records.map((record) => {
        const commandId = readEnvelope(record).id!;
        const value = JSON.parse(record.value!.toString()) as CommandValue<'ticket.delete.v1'>;
        return this.answer(value.data.reason as Conduct, { type: 'ticket.delete.v1', commandId, value });
      }),
    );
  }

  private async answer(conduct: Conduct, command: Outgoing) {
    const { commandId, value } = command;
    heard.push(commandId);
    const result = applied(command);
    const broken = { topic: results, key: commandId, value: '{"commandId":' };
    const conducts: Record<Conduct, () => Promise<unknown>> = {
      'at once': () => this.tell(result),
      never: async () => undefined,
      late: async () => void late.push(new Promise<void>((resolve) => tellLate.push(resolve)).then(() => this.tell(result))),
      twice: async () => [await this.tell(result), await this.tell({ ...result, duplicate: true })],
      'broken first': async () => [await FakeTicketCommand.producer.send([broken]), await this.tell(result)],
      'first hash': () => {
        firstHash ||= value.payloadHash;
        return this.tell({ ...result, payloadHash: firstHash, ...(value.payloadHash !== firstHash && { duplicate: true }) });
      },
    };
    await conducts[conduct]();
  }

  private tell(result: CommandResult) {
    return FakeTicketCommand.producer.send([{ topic: results, key: result.commandId, value: JSON.stringify(result) }]);
  }
}

/** A gateway instance's bus, on real servers. */
interface Instance {
  bus: CommandBus;
  pending: PendingCommands;
  app: INestMicroservice;
}

let producer: RecordProducer;
let database: Database;
let instances: Instance[];
let ticketCommand: INestMicroservice;
const graves: unknown[] = [];

async function listen(controllers: (new (...args: never[]) => object)[], providers: (new (...args: never[]) => object)[]) {
  const module = await Test.createTestingModule({ controllers, providers }).compile();
  const transport = new RoundTransport({ brokers, service: 'test', deadLetters: { send: async (records) => void graves.push(...records) } });
  const app = module.createNestMicroservice({ strategy: transport, logger: false });
  await app.listen();
  await until(() => transport.health().ready);
  return app;
}

async function instance(): Promise<Instance> {
  const app = await listen([Results], [ResultsConsumer, ResultWaiters]);
  const pending = new PendingCommands(database, patience);
  return { bus: new CommandBus(renamed(producer), app.get(ResultWaiters), pending), pending, app };
}

/** A producer that writes to the command topic of this run. */
const renamed = (through: RecordProducer): Pick<RecordProducer, 'send'> => ({
  send: (records, options) => through.send(records.map((record) => ({ ...record, topic: commands })), options),
});

const until = (isTrue: () => boolean | Promise<boolean>) => eventually(isTrue, String(isTrue));

/** What comes of a command: asked for again where that takes longer than a bus waits, as on a slow machine. */
async function outcomeOf({ bus }: Instance, one: Outgoing): Promise<CommandResult> {
  for (;;) {
    const outcome = await bus.send(one).catch(unlessSlow);
    if (outcome !== 'pending') return outcome;
  }
}

/** Nor does the broker always acknowledge in time there. */
function unlessSlow(error: unknown): 'pending' {
  if ((error as Partial<ProblemError>).problem?.status === 503) return 'pending';
  throw error;
}

beforeAll(async () => {
  const config = {};
  await ensureTopics(brokers, [commands, results].map((name) => ({ name, partitions: 3, replication: 1, config })));
  producer = new RecordProducer({ brokers, clientId: 'test' });
  FakeTicketCommand.producer = producer;
  await producer.connect();
  database = openDatabase({ uri: process.env['MONGODB_URI']!, database: `test_gateway_${run.slice(0, 8)}` });
  ticketCommand = await listen([FakeTicketCommand], []);
  instances = await Promise.all([instance(), instance()]);
  await instances[0]!.pending.prepare();
});

afterAll(async () => {
  for (const tell of tellLate) tell();
  await Promise.all(late);
  for (const { app } of instances) await app.close();
  await ticketCommand.close();
  await producer.close();
  await database.db.dropDatabase();
  await database.close();
});

const command = (reason: Conduct, { commandId = randomUUID(), payloadHash = 'hash' } = {}): Outgoing => ({
  type: 'ticket.delete.v1',
  commandId,
  value: {
    orgId: 'acme',
    ticketId: randomUUID(),
    actor: { type: 'member', id: 'ada', name: 'Ada' },
    access: { role: 'admin', assistantIds: [] },
    channel: 'api',
    payloadHash,
    data: { reason },
  },
});

const principalOf = ({ value: { orgId, actor, access } }: Outgoing) => ({ orgId, actor, access });

describe('commands through a real broker', () => {
  it('are answered, each with its own result, by any instance', async () => {
    const many = Array.from({ length: 200 }, () => command('at once'));
    const outcomes = await Promise.all(many.map((one, i) => outcomeOf(instances[i % 2]!, one)));
    expect(outcomes.map(({ commandId }) => commandId)).toEqual(many.map(({ commandId }) => commandId));
  });

  it('are answered once when the result comes twice', async () => {
    // Another one where it took too long: whose first sending is late may be told of its second.
    const outcome = await eventually(async () => {
      const told = await instances[0]!.bus.send(command('twice'));
      return told !== 'pending' && told;
    }, 'it is answered in time');
    expect(outcome).toMatchObject({ outcome: 'applied' });
    expect(outcome).not.toHaveProperty('duplicate');
  });

  it('are pending after two seconds, for who sent them and at every instance', async () => {
    const [one, other] = instances as [Instance, Instance];
    for (const conduct of ['never', 'late'] as const) {
      const slow = command(conduct);
      const tookMs = await eventually(async () => {
        const startedAt = Date.now();
        expect(await one.bus.send(slow)).toBe('pending');
        return Date.now() - startedAt;
      }, 'the broker acknowledges it in time');
      expect(tookMs).toBeGreaterThanOrEqual(1_990);
      expect(await other.pending.ticketOf(principalOf(slow), slow.commandId)).toBe(slow.value.ticketId);
      const stranger = { ...principalOf(slow), orgId: 'globex' };
      expect(await other.pending.ticketOf(stranger, slow.commandId)).toBeNull();
      const colleague = { ...principalOf(slow), actor: { type: 'agent' as const, id: 'ada', name: 'Ada' } };
      expect(await other.pending.ticketOf(colleague, slow.commandId)).toBeNull();
    }
  });

  it('are pending at once for who does not wait', async () => {
    const asked = await eventually(async () => {
      const one = command('never');
      const order: string[] = [];
      const told = (name: string, sending: Promise<unknown>) => sending.then((outcome) => order.push(`${name} ${String(outcome)}`));
      await Promise.all([told('who waits:', instances[0]!.bus.send(command('never'))), told('who does not:', instances[0]!.bus.send(one, { respondAsync: true }))]);
      expect(order).toEqual(['who does not: pending', 'who waits: pending']);
      return one;
    }, 'the broker acknowledges both in time');
    expect(await instances[1]!.pending.ticketOf(principalOf(asked), asked.commandId)).toBe(asked.value.ticketId);
  });

  it('under one key with two bodies at two instances: one is told so', async () => {
    const commandId = randomUUID();
    const outcomes = await Promise.allSettled(instances.map((one, i) => outcomeOf(one, command('first hash', { commandId, payloadHash: `body ${i}` }))));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(refused?.reason).toMatchObject({ problem: { type: '/problems/idempotency-key-reused' } });
  });

  it('are answered though a broken result comes before', async () => {
    expect(await outcomeOf(instances[0]!, command('broken first'))).toMatchObject({ outcome: 'applied' });
    await until(() => graves.length > 0);
    expect(await outcomeOf(instances[1]!, command('at once'))).toMatchObject({ outcome: 'applied' });
  });

  it('note a command once, however often it is sent', async () => {
    const { pending } = instances[0]!;
    const again = command('never');
    await Promise.all([1, 2, 3, 4].map(() => pending.remember(principalOf(again), again.commandId, again.value.ticketId)));
    await pending.remember({ ...principalOf(again), orgId: 'globex' }, again.commandId, randomUUID());
    expect(await pending.ticketOf(principalOf(again), again.commandId)).toBe(again.value.ticketId);
  });
});

describe('commands without a broker', () => {
  it('are refused and not sent later', async () => {
    const proxy = new KafkaProxy(brokers[0]!);
    const distant = new RecordProducer({ brokers: [await proxy.listen()], clientId: 'distant' });
    await distant.connect();
    const bus = new CommandBus(renamed(distant), new ResultWaiters(), instances[0]!.pending);
    let held = 0;
    proxy.onAnswer = (api) => (api === apis.produce ? (held++, 'hold') : 'pass');
    const [inFlight, queued] = [command('never'), command('never')];
    const first = bus.send(inFlight);
    first.catch(() => undefined); // looked at below
    await until(() => held > 0);
    for (const { reason } of (await Promise.allSettled([first, bus.send(queued)])) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ problem: { type: '/problems/dependency-unavailable', status: 503 }, headers: { 'retry-after': '2' } });
    }
    proxy.onAnswer = () => 'pass';
    proxy.cutAll();
    const later = command('never');
    await until(() => bus.send(later, { respondAsync: true }).then(() => true, () => false));
    await until(() => heard.includes(later.commandId));
    expect(heard).not.toContain(queued.commandId);
    await distant.close();
    await proxy.close();
  });
});
