import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { outboundTopic, topics, type Producer, type TicketEvent } from '#contracts';
import { RecordProducer, type OutgoingRecord } from '#messaging';
import { course } from '../../apps/assignment-notification/testing/course.js';
import { eventRecord } from '../../apps/assignment-notification/testing/running.js';
import { abortAt, outboundPoints, undisturbed, type AbortPoint } from '../support/abort-plan.js';
import type { AppHandle } from '../support/app-handle.js';
import { eventually } from '../support/eventually.js';
import { forgetService } from '../support/group-members.js';
import { freshSystem, grantOf, makeSystemTopics, publishEntries } from '../support/inbound.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const from = '2026-01-01T00:00:00.000Z';
const [org, twin] = ['told', 'twin'].map((name) => `${name}-${randomUUID().slice(0, 8)}`) as [string, string];
const system = freshSystem();
const topic = outboundTopic(system);
const group = `assignment-notification.outbound.${org}/${system}/${Date.parse(from)}`;

/** What the organisation lets the system do, or has withdrawn. */
function registration(deleted: boolean) {
  const { value, ...named } = grantOf(system, org);
  return { ...named, deleted, value: { ...(value as Producer), outbound: { from, notes: false } } };
}

let stack: Stack;
let producer: RecordProducer;
let tail: TopicTail;
let one: AppHandle;
let other: AppHandle;

beforeAll(async () => {
  stack = await startStack({ instances: { gateway: 0, 'ticket-command': 0, 'query-search': 0 } });
  producer = new RecordProducer({ brokers: stack.kafkaBrokers.split(','), clientId: 'spec-outbound' });
  await Promise.all([producer.connect(), makeSystemTopics(stack.kafkaBrokers, system, { names: [topic] })]);
  tail = await TopicTail.open(stack.kafkaBrokers, [topic]);
  const assistant = { id: 'billing-bot', name: 'Billing', memberIds: [] };
  await publishEntries(producer, registration(false), ...[org, twin].map((orgId) => ({ orgId, kind: 'assistant' as const, id: assistant.id, value: assistant })));
  [one, other] = [await stack.add('assignment-notification'), await stack.add('assignment-notification')];
  await Promise.all([one.end(), other.end()]);
});
afterEach(() => Promise.all([one.end(), other.end()]));
afterAll(async () => {
  await stack?.stop();
  await publishEntries(producer, registration(true)); // other specs on this broker have nothing to tell for it
  await Promise.all([tail?.close(), producer?.close()]);
});

const send = (events: readonly TicketEvent[]) => producer.send(events.map((event): OutgoingRecord => (({ topic: to, key, value, headers }) => ({ topic: to, key, value, headers }))(eventRecord(event))));
/** Tickets that the system sees, each with a note, beside twins in another organisation and tickets of another assistant. */
const lives = (count: number) =>
  Array.from({ length: count }, () => ({
    mine: course(org).created({ assistantId: 'billing-bot' }).moved('pending').commented('note', 'A secret').commented('comment').moved('resolved').events,
    hidden: [...course(twin).created({ assistantId: 'billing-bot' }).moved('pending').events, ...course(org).created({ assistantId: 'tech-bot' }).moved('pending').events],
  }));
type Lives = ReturnType<typeof lives>;
/** Step by step, taking turns. */
const mixed = (all: Lives) => [0, 1, 2, 3, 4].flatMap((step) => all.flatMap(({ mine, hidden }) => [mine[step]!, ...hidden.slice(step, step + 1)]));

const toldOf = (ticketId: string) => tail.records(topic).filter(({ key }) => String(key) === ticketId);

/** Resolves when everything is told and the group has committed it; then says what is wrong. */
async function verdict(all: Lives): Promise<string[]> {
  await eventually(async () => {
    await tail.readToEnd();
    expect(await tail.lagOf(group, topics.events)).toBe(0);
    expect(all.filter(({ mine }) => toldOf(mine[0]!.ticketId).length < 4)).toEqual([]);
  }, 120_000);
  await tail.readToEnd();
  const told = all.flatMap(({ mine }) => {
    const { ticketId } = mine[0]!;
    const byId = Map.groupBy(toldOf(ticketId), ({ headers }) => headers['ce_id']);
    const due = mine.filter((_, index) => index !== 2).map(({ version }) => `${ticketId}:${version}`);
    const torn = [...byId].filter(([, same]) => new Set(same.map(({ value, headers }) => JSON.stringify([String(value), headers]))).size > 1).map(([id]) => `${id} was told in two ways`);
    return [...byId.keys()].join() === due.join() ? torn : [...torn, `${[...byId.keys()].join()}, not ${due.join()}`];
  });
  const hidden = all.flatMap((life) => life.hidden).filter(({ ticketId }) => toldOf(ticketId).length > 0);
  return [...told, ...hidden.map(({ ticketId }) => `${ticketId} is not to be told`)];
}

/** Starts it, lets it kill itself, and gives its partitions back at once. */
async function dieAt(point: AbortPoint): Promise<void> {
  const before = one.logs().split(`reached ${point}\n`).length;
  one.start(abortAt({ point }));
  await eventually(() => !one.isRunning);
  expect(one.logs().split(`reached ${point}\n`).length).toBe(before + 1);
  await forgetService(stack.kafkaBrokers, 'assignment-notification');
}

describe('what outside systems are told', () => {
  it.each(outboundPoints)('%s: nothing is lost, reordered, told in two ways or told too much when the service is killed there, and again while it recovers', async (point) => {
    const all = lives(20);
    await send(mixed(all));
    await dieAt(point);
    await dieAt(point);
    await one.restart(undisturbed);
    expect(await verdict(all)).toEqual([]);
  });

  it('is shared by instances that come, go and are killed while events stream in', async () => {
    const all = lives(60);
    const events = mixed(all);
    const quarter = Math.ceil(events.length / 4);
    await one.restart(undisturbed);
    const changes = [() => other.restart(undisturbed), () => one.kill('SIGTERM'), () => one.restart(), () => other.kill()];
    for (const [index, change] of changes.entries()) await Promise.all([send(events.slice(index * quarter, (index + 1) * quarter)), change()]);
    await forgetService(stack.kafkaBrokers, 'assignment-notification'); // of the one that was killed; the one that lives joins again
    await other.restart();
    expect(await verdict(all)).toEqual([]);
  });
});
