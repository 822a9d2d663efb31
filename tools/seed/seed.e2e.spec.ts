import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Backlog, RecordProducer } from '#messaging';
import { clientOf, type Client } from '../../test/support/client.js';
import { organisation } from '../../test/support/organisation.js';
import { startStack, type Stack } from '../../test/support/stack.js';
import { seedOrganisations } from './organisations.js';
import { commandsOf, sharesOf, type Plan } from './plan.js';
import { Seeding } from './seeding.js';

const org = `seed-${randomUUID().slice(0, 8)}`;
const directory = { organisations: [organisation(org)] };
const tickets = 120;
const plan: Plan = { seed: 1, shares: sharesOf(tickets, seedOrganisations(1, directory)), end: Math.floor(Date.now() / 60_000) * 60_000 };
const commands = [...commandsOf(plan)].map(({ command }) => command);

let stack: Stack;
let backlog: Backlog;
let producer: RecordProducer;

async function open(env: NodeJS.ProcessEnv = {}) {
  stack = await startStack({ directory, env: { 'ticket-command': env } });
  const brokers = stack.kafkaBrokers.split(',');
  backlog = await Backlog.open(brokers);
  producer = new RecordProducer({ brokers, clientId: 'seed-spec' });
  await producer.connect();
}

async function close() {
  await Promise.all([producer?.close(), backlog?.close()]);
  await stack?.stop();
}

async function seed(of = plan) {
  const seeding = new Seeding({ producer, backlog, progress: { tell: () => undefined, say: () => undefined }, signal: new AbortController().signal });
  await seeding.send(commandsOf(of), tickets);
  await seeding.follow();
}

describe('seeding a running installation', () => {
  let ada: Client;
  beforeAll(async () => {
    await open();
    ada = clientOf(stack, { org, sub: 'ada' });
    await seed();
  });
  afterAll(close);

  const counts = async () => (await ada.get('/tickets/counts')).body as { total: number };
  const deleted = commands.filter(({ type }) => type === 'ticket.delete.v1').length;

  it('makes the tickets', async () => expect((await counts()).total).toBe(tickets - deleted));

  it('lets each of them have happened when it is told to, every command an event', async () => {
    for (const [ticketId, ofTicket] of [...Map.groupBy(commands, (command) => command.ticketId)].slice(0, 25)) {
      if (ofTicket.some(({ type }) => type === 'ticket.delete.v1')) continue;
      const { body } = await ada.get(`/tickets/${ticketId}`);
      expect(body).toMatchObject({ version: ofTicket.length, createdAt: ofTicket[0]!.at, updatedAt: ofTicket.at(-1)!.at });
      const timeline = await ada.get(`/tickets/${ticketId}/timeline?limit=100`);
      expect((timeline.body['items'] as { at: string }[]).map(({ at }) => at)).toEqual(ofTicket.map(({ at }) => at));
    }
  });

  it('changes nothing when it comes again, an hour later', async () => {
    const before = (await ada.get('/tickets?pageSize=100&sort=number')).body;
    await seed({ ...plan, end: plan.end + 3_600_000 });
    expect((await ada.get('/tickets?pageSize=100&sort=number')).body).toEqual(before);
  });
});

describe('seeding an installation that takes no commands of the past', () => {
  afterEach(close);

  it('fails after one command, and says why', async () => {
    await open({ ALLOW_PAST_COMMANDS: 'false' });
    const other = seedOrganisations(1, { organisations: [organisation(`${org}-2`)] });
    await expect(seed({ ...plan, shares: sharesOf(tickets, other) })).rejects.toThrow('set 1 of the commands aside');
  });
});
