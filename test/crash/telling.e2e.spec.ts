import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topics, type EventValue } from '#contracts';
import { openDatabase, type Database } from '#persistence';
import { Receiver } from '../../apps/assignment-notification/testing/receiver.js';
import { Mailbox } from '../../tools/mailbox/mailbox.js';
import { abortAt, mailPoints, tellingPoints, undisturbed, type AbortPoint } from '../support/abort-plan.js';
import type { AppHandle } from '../support/app-handle.js';
import { clientOf, type Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { forgetService } from '../support/group-members.js';
import { organisation } from '../support/organisation.js';
import { handedIn, handIn, mailSecret, mailText } from '../support/signed-mail.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const org = `heard-${randomUUID().slice(0, 8)}`;
const domain = 'in.deskstream.example';
const mailbox = new Mailbox({ keep: 1_000 });
let stack: Stack;
let store: Database;
let tail: TopicTail;
let receiver: Receiver;
let ada: Client;
let grace: Client;
let app: AppHandle;

beforeAll(async () => {
  receiver = await Receiver.open();
  tail = await TopicTail.open(process.env['KAFKA_BROKERS']!, [topics.events]);
  const env = { SMTP_URL: await mailbox.open(), INBOUND_DOMAIN: domain };
  stack = await startStack({
    instances: { 'query-search': 0, 'assignment-notification': 1 },
    env: { 'assignment-notification': env, gateway: { INBOUND_EMAIL_SECRET: mailSecret } },
    directory: { organisations: [organisation(org)] },
  });
  store = openDatabase({ uri: stack.mongodbUri, database: 'deskstream_assignment' });
  [ada, grace] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org, sub: 'grace' })];
  [app] = stack.apps['assignment-notification'] as [AppHandle];
  await eventually(async () => expect((await ada.post('/webhooks', { name: 'One', url: receiver.url, assistantIds: ['billing-bot'] })).status).toBe(201));
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([tail?.close(), store?.close(), receiver?.close(), mailbox.close()]);
});

/** Lets it kill itself, and gives its partitions back at once. */
async function dead(point: AbortPoint, lives: number): Promise<void> {
  await eventually(() => !app.isRunning);
  expect(app.logs().split(`reached ${point}\n`).length).toBe(lives + 1);
  await forgetService(stack.kafkaBrokers, 'assignment-notification');
}
const livesOf = (point: AbortPoint) => app.logs().split(`reached ${point}\n`).length;

/** A ticket of Grace's on which its requester is answered and she is called. */
async function told(): Promise<{ id: string; email: string }> {
  const email = `rita-${randomUUID().slice(0, 8)}@example.org`;
  const { status, body } = await ada.post('/tickets', { title: 'Told', assistantId: 'billing-bot', assignee: { type: 'member', id: 'grace' }, requester: { email } });
  expect(status).toBe(201);
  const id = body['id'] as string;
  expect((await ada.post(`/tickets/${id}/replies`, { body: 'Like this.' })).status).toBe(201);
  expect((await ada.post(`/tickets/${id}/comments`, { body: '@grace look' })).status).toBe(201);
  return { id, email };
}

const mailsTo = (address: string, word: string) => mailbox.mails.filter(({ envelope, text }) => envelope.to[0] === address && text.includes(word)).map(({ messageId }) => messageId);
const noticesOf = async (id: string) => ((await grace.get('/notifications?limit=100')).body['items'] as { kind: string; ticket: { id: string } | null }[]).filter(({ ticket }) => ticket?.id === id).map(({ kind }) => kind);
const reports = (id: string) => {
  const events = new Map(tail.records(topics.events).filter(({ headers }) => headers['ce_subject'] === id).map(({ headers, value }) => [headers['ce_id'], { type: headers['ce_type'], ...(JSON.parse(String(value)) as EventValue) }]));
  return [...events.values()].flatMap(({ type, data }) => (type === 'ticket.reply-delivery-reported.v1' ? [(data as { state: string }).state] : []));
};

describe('what is told of events', () => {
  it.each(tellingPoints)('%s: everybody hears all of it, in the app once, outside at least once and under one id, when the service is killed there', async (point) => {
    await app.end();
    const tickets = await Promise.all([told(), told(), told()]);
    const lives = livesOf(point);
    app.start(abortAt({ point }));
    await dead(point, lives);
    await app.restart(undisturbed);
    for (const { id, email } of tickets) {
      await eventually(async () => expect((await noticesOf(id)).sort()).toEqual(['assigned', 'mentioned']));
      await eventually(() => expect([new Set(mailsTo(email, 'Like this.')).size, new Set(mailsTo(`grace@${org}.example`, id)).size]).toEqual([1, 2]));
      await eventually(async () => {
        await tail.readToEnd();
        expect(reports(id)).toEqual(['delivered']);
      });
      await eventually(() => expect([...new Set(receiver.ids.filter((one) => one.startsWith(id)))]).toEqual([1, 2, 3, 4].map((version) => `${id}:${version}`)));
      for (const same of Map.groupBy(receiver.received.filter(({ body }) => body.ticketId === id), ({ headers }) => headers['webhook-id']).values()) expect(new Set(same.map(({ text }) => text)).size).toBe(1);
    }
    await eventually(async () => expect(await store.db.collection('deliveries').countDocuments({ orgId: org, dueAt: { $ne: null } })).toBe(0));
    for (const { id } of tickets) expect([await noticesOf(id), reports(id)].map((some) => some.length)).toEqual([2, 1]);
  });
});

describe('a mail that comes in', () => {
  it.each(mailPoints)('%s: opens one ticket when the service is killed there and it comes again', async (point) => {
    const lives = livesOf(point);
    await app.restart(abortAt({ point }));
    const mail = mailText({ From: `carla-${randomUUID().slice(0, 8)}@example.org`, To: `${org}@${domain}` }, 'Only once');
    expect((await handIn(stack.gatewayUrl, mail)).status).toBe(503);
    await dead(point, lives);
    await app.restart(undisturbed);
    const answers = [await handedIn(stack.gatewayUrl, mail), await handedIn(stack.gatewayUrl, mail)];
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(answers[0]!.body).toEqual(answers[1]!.body);
    const from = /From: (\S+)/.exec(mail)![1]!;
    const opened = () => new Set(tail.records(topics.events).flatMap(({ headers, value }) => (headers['ce_type'] === 'ticket.created.v1' && String(value).includes(from) ? [headers['ce_id']] : [])));
    await eventually(async () => {
      await tail.readToEnd();
      expect([...opened()]).toEqual([`${answers[0]!.body.ticketId}:1`]);
    });
  });
});
