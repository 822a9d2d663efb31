import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { topics } from '#contracts';
import { Mailbox, type MailboxOptions, type TakenMail } from '../../tools/mailbox/mailbox.js';
import { Client, clientOf } from '../support/client.js';
import { DeliveryReceiver } from '../support/delivery-receiver.js';
import { eventually } from '../support/eventually.js';
import { forgetService } from '../support/group-members.js';
import { organisation } from '../support/organisation.js';
import { handedIn, mailSecret, mailText } from '../support/signed-mail.js';
import { startStack, type Stack } from '../support/stack.js';
import { TopicTail } from '../support/topic-tail.js';

const [org, twin] = [`mails-${randomUUID().slice(0, 8)}`, `twin-${randomUUID().slice(0, 8)}`];
const domain = 'in.deskstream.example';
let refuse: NonNullable<MailboxOptions['refuse']>;
const mailbox = new Mailbox({ keep: 500, refuse: (envelope) => refuse(envelope) });
let stack: Stack;
let ada: Client;
let linus: Client;
let stranger: Client;
let env: NodeJS.ProcessEnv;
let tail: TopicTail;

beforeAll(async () => {
  refuse = () => undefined;
  tail = await TopicTail.open(process.env['KAFKA_BROKERS']!, [topics.events]);
  env = { SMTP_URL: await mailbox.open(), MAIL_FROM: 'Acme <support@acme.example>', INBOUND_DOMAIN: domain, REPLY_PAUSES: Array(9).fill('0.2').join() };
  stack = await startStack({
    instances: { 'assignment-notification': 1 },
    env: { 'assignment-notification': env, gateway: { INBOUND_EMAIL_SECRET: mailSecret } },
    directory: { organisations: [organisation(org), organisation(twin)] },
  });
  [ada, linus, stranger] = [clientOf(stack, { org, sub: 'ada' }), clientOf(stack, { org, sub: 'linus' }), clientOf(stack, { org: twin, sub: 'ada' })];
  await eventually(async () => expect((await ada.get('/assistants/billing-bot/requester-updates')).status).toBe(200));
  await eventually(async () => expect((await stranger.get('/assistants/billing-bot/requester-updates')).status).toBe(200));
});
afterAll(() => Promise.all([stack?.stop(), mailbox.close(), tail?.close()]));
beforeEach(() => {
  refuse = () => undefined;
});

const someone = () => ({ name: 'Rita Roe', email: `rita-${randomUUID().slice(0, 8)}@example.org` });
/** Each once: one of which the service could not store that it was taken goes out again, under the same Message-ID. */
const mailsTo = (address: string): TakenMail[] => {
  const all = everyMailTo(address);
  return all.filter(({ messageId }, at) => all.findIndex((one) => one.messageId === messageId) === at);
};
const everyMailTo = (address: string): TakenMail[] => mailbox.mails.filter(({ envelope }) => envelope.to.includes(address)).reverse();
const mailTo = (address: string, n = 1) => eventually(() => mailsTo(address)[n - 1] ?? false);
const opened = async (fields: object = {}, by = ada) => (await by.ticket({ title: 'Where is my order?', assistantId: 'billing-bot', ...fields }))['id'] as string;
const replied = async (id: string, body = 'It left yesterday.') => (await ada.post(`/tickets/${id}/replies`, { body })).body['comment']['id'] as string;
const commentsOf = async (id: string) => (await ada.get(`/tickets/${id}/comments`)).body['items'] as { id: string; kind: string; delivery?: { state: string; channel?: string; detail?: string } }[];
const deliveryOf = async (id: string, commentId: string) => (await commentsOf(id)).find((one) => one.id === commentId)?.delivery;
const untilDelivery = (id: string, commentId: string, delivery: object) => eventually(async () => expect(await deliveryOf(id, commentId)).toMatchObject(delivery), 120_000);
const moved = async (id: string, ...path: string[]) => {
  for (const to of path) expect((await ada.post(`/tickets/${id}/transitions`, { to })).status).toBe(200);
};
const followed = (id: string, check: (ticket: Record<string, unknown>) => void) => eventually(async () => check((await ada.get(`/tickets/${id}`)).body));
/** The service knows what was done to tickets so far. */
const heard = () => eventually(async () => expect(await tail.lagOf('assignment-notification.correspondents', topics.events)).toBe(0));
const messagesOf = async (id: string) => (await ada.get(`/tickets/${id}/conversation`)).body['items'] as { role: string; content: string; name: string }[];
const write = (headers: Record<string, string>, text?: string) => handedIn(stack.gatewayUrl, mailText({ To: `${org}@${domain}`, ...headers }, text));

describe('a reply', () => {
  it('goes to the requester, threaded, and says on the ticket that the server took it', async () => {
    const rita = someone();
    const id = await opened({ requester: rita });
    const { number } = (await ada.get(`/tickets/${id}`)).body as { number: number };
    await ada.post(`/tickets/${id}/notes`, { body: 'a secret between us' });
    await ada.post(`/tickets/${id}/comments`, { body: 'for the team' });
    const first = await replied(id);
    const second = await replied(id, 'And now it is there.');
    await mailTo(rita.email, 2);
    const [one, two] = mailsTo(rita.email) as [TakenMail, TakenMail];
    expect(one).toMatchObject({ subject: `Where is my order? [#${number}]`, text: 'It left yesterday.\n', from: expect.stringContaining('support@acme.example') });
    expect(one.replyTo).toMatch(new RegExp(`^${org}\\+${number}\\.[0-9a-f]+@`));
    expect(two).toMatchObject({ inReplyTo: one.messageId, references: [one.messageId], subject: `Re: Where is my order? [#${number}]` });
    expect(one.messageId).not.toBe(two.messageId);
    for (const comment of [first, second]) await untilDelivery(id, comment, { state: 'delivered', channel: 'email' });
    expect(mailsTo(rita.email)).toHaveLength(2);
    expect(mailbox.mails.some(({ raw }) => raw.includes('a secret between us') || raw.includes('for the team'))).toBe(false);
  });

  it('has failed with no-channel where nobody can be reached, and is sent by hand once somebody can', async () => {
    const id = await opened({ requester: { name: 'Nobody' } });
    const comment = await replied(id);
    await untilDelivery(id, comment, { state: 'failed', channel: 'none', detail: 'no-channel' });
    const rita = someone();
    expect((await ada.patch(`/tickets/${id}`, { requester: rita }, { 'content-type': 'application/merge-patch+json' })).status).toBe(200);
    const path = `/tickets/${id}/replies/${comment}/send`;
    for (const other of [linus, stranger]) expect((await other.post(path)).status).toBe(404);
    await heard();
    for (let times = 0; times < 2; times += 1) expect((await ada.post(path, undefined, { 'idempotency-key': `again-${comment}` })).status).toBe(202);
    await untilDelivery(id, comment, { state: 'delivered', channel: 'email' });
    expect(everyMailTo(rita.email)).toHaveLength(1);
    expect((await ada.post(`/tickets/${id}/replies/${randomUUID()}/send`)).status).toBe(404);
  });

  it('fails at once where the server refuses it, and after ten tries where it never takes it; a closed ticket hears of it', async () => {
    const rita = someone();
    const id = await opened({ requester: rita });
    refuse = () => ({ code: 550, text: 'no such user' });
    const refused = await replied(id);
    await untilDelivery(id, refused, { state: 'failed', channel: 'email', detail: expect.stringContaining('no such user') });
    const offered: string[] = [];
    refuse = ({ to }) => {
      offered.push(...to);
      return { code: 451, text: 'try later' };
    };
    const late = await replied(id, 'Once more');
    await moved(id, 'pending', 'resolved', 'closed');
    await untilDelivery(id, late, { state: 'failed', detail: expect.stringContaining('try later') });
    // A try of which the service could not store what came of it is made again.
    expect(offered.filter((address) => address === rita.email).length).toBeGreaterThanOrEqual(10);
  });

  it('reaches the requester although the service dies while it is sent, under the same Message-ID', async () => {
    const rita = someone();
    const id = await opened({ requester: rita });
    const [service] = stack.apps['assignment-notification'];
    const asked = Promise.withResolvers<void>();
    refuse = () => {
      asked.resolve();
      return 'silence';
    };
    const comment = await replied(id);
    await asked.promise;
    await service!.kill('SIGKILL');
    await forgetService(stack.kafkaBrokers, 'assignment-notification');
    refuse = () => undefined;
    await service!.restart();
    await untilDelivery(id, comment, { state: 'delivered' });
    expect(mailsTo(rita.email)).toHaveLength(1);
  });

  it('is sent by the instance that lives on where two were and one stands still', async () => {
    const second = await stack.add('assignment-notification', { env });
    const rita = someone();
    const ids = await Promise.all(Array.from({ length: 5 }, () => opened({ requester: rita })));
    await second.kill('SIGSTOP');
    const comments = await Promise.all(ids.map((id) => replied(id)));
    for (const [i, id] of ids.entries()) await eventually(async () => expect(await deliveryOf(id, comments[i]!)).toMatchObject({ state: 'delivered' }), 120_000);
    await second.kill('SIGCONT');
    await second.end();
    expect(mailsTo(rita.email)).toHaveLength(5);
  });
});

describe('a ticket of an assistant’s conversation', () => {
  it('is answered there, signed, again until the assistant takes it', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const receiver = new DeliveryReceiver(secret);
    const url = await receiver.open();
    try {
      const path = '/assistants/billing-bot/delivery';
      for (const bad of ['http://example.org/', 'https://10.0.0.1/', 'https://[::ffff:10.0.0.1]/', 'ftp://example.org/']) expect((await ada.put(path, { url: bad, secret })).status).toBe(422);
      expect((await linus.put(path, { url, secret })).status).toBe(403);
      expect((await ada.put(path, { url, secret })).body).toEqual({ id: 'billing-bot', url });
      expect((await ada.get(path)).text).not.toContain(secret);
      expect((await stranger.get(path)).status).toBe(404);
      const key = (await ada.apiKey({ name: 'agent', assistantId: 'billing-bot', scopes: ['tickets:read', 'tickets:write'] }))['secret'] as string;
      const agent = new Client(key, stack.gatewayUrls);
      const rita = someone();
      const id = await opened({ requester: rita, externalId: `chat-${randomUUID()}` }, agent);
      receiver.status = 500;
      await ada.post(`/tickets/${id}/notes`, { body: 'a secret between us' });
      const comment = await replied(id);
      await eventually(() => receiver.posted.length >= 2);
      receiver.status = 204;
      await untilDelivery(id, comment, { state: 'delivered', channel: 'assistant' });
      expect(new Set(receiver.posted.map((one) => one.id)).size).toBe(1);
      expect(receiver.posted.at(-1)).toMatchObject({ isSigned: true, message: { type: 'requester.message', ticketId: id, kind: 'reply', text: 'It left yesterday.', commentId: comment, requester: rita } });
      expect(mailsTo(rita.email)).toEqual([]);
      const sent = receiver.posted.length;
      expect((await ada.post(`/tickets/${id}/replies/${comment}/send`)).status).toBe(202);
      await eventually(() => receiver.posted.length > sent);
      const known = await opened({ requester: rita });
      await untilDelivery(known, await replied(known), { state: 'delivered', channel: 'email' });
      expect((await ada.delete(path)).status).toBe(204);
      await untilDelivery(id, await replied(id), { state: 'delivered', channel: 'email' });
    } finally {
      receiver.close();
    }
  });
});

describe('an update', () => {
  it('goes out where an administrator has switched it on, in their words', async () => {
    const text = 'Dear {{name}}, #{{number}} "{{title}}" is solved by {{assistant}}. {{unknown}}';
    expect((await linus.put('/assistants/tech-bot/requester-updates', { resolved: { enabled: true } })).status).toBe(403);
    expect((await ada.put('/assistants/no-bot/requester-updates', {})).status).toBe(404);
    expect((await ada.put('/assistants/tech-bot/requester-updates', { resolved: { enabled: true, text }, reopened: { enabled: true } })).status).toBe(200);
    expect((await ada.get('/assistants/tech-bot/requester-updates')).body).toEqual({ id: 'tech-bot', resolved: { enabled: true, text }, reopened: { enabled: true, text: null } });
    const [rita, other] = [someone(), someone()];
    const id = await opened({ requester: rita, assistantId: 'tech-bot', title: '{{name}} asks' });
    const { number } = (await ada.get(`/tickets/${id}`)).body as { number: number };
    const silent = await opened({ requester: other });
    for (const one of [id, silent]) await moved(one, 'pending', 'resolved', 'open');
    await mailTo(rita.email, 2);
    await replied(silent, 'the end');
    expect((await mailTo(other.email)).text).toBe('the end\n');
    expect(mailsTo(rita.email).map((mail) => mail.text.trim())).toEqual([`Dear Rita Roe, #${number} "{{name}} asks" is solved by Technical assistant. {{unknown}}`, expect.stringContaining('is open again')]);
    expect(mailsTo(rita.email)[0]!.headers).toMatchObject({ 'auto-submitted': 'auto-generated' });
    expect(mailsTo(other.email)).toHaveLength(1);
  });
});

describe('a mail that comes in', () => {
  it('opens a ticket, and its sender is told so in the same thread', async () => {
    const rita = someone();
    const messageId = `<first-${randomUUID()}@mail.example>`;
    const headers = { To: `${org}+billing-bot@${domain}`, From: `Rita Roe <${rita.email}>`, Subject: 'My invoice', 'Message-ID': messageId };
    const { status, body } = await write(headers, 'It is wrong.');
    expect([status, body]).toEqual([202, { outcome: 'opened', ticketId: expect.any(String) }]);
    expect((await write(headers, 'It is wrong.')).body).toEqual(body);
    await followed(body.ticketId, (ticket) => expect(ticket).toMatchObject({ title: 'My invoice', description: 'It is wrong.', channel: 'email', assistantId: 'billing-bot', requester: { name: 'Rita Roe', email: rita.email }, version: 1 }));
    expect(await mailTo(rita.email)).toMatchObject({ inReplyTo: messageId, references: [messageId], text: expect.stringContaining('have received your request') });
  });

  it('is appended to the ticket it answers to, without what it quotes, and reopens it', async () => {
    const rita = someone();
    const id = await opened({ requester: rita });
    await replied(id);
    const mail = await mailTo(rita.email);
    await moved(id, 'pending', 'resolved');
    const from = { From: rita.email, Subject: `Re: ${mail.subject}` };
    const { body } = await write({ ...from, To: mail.replyTo }, 'Not here yet!\r\n\r\nOn Mon, Acme <support@acme.example> wrote:\r\n> It left yesterday.');
    expect(body).toEqual({ outcome: 'appended', ticketId: id });
    await followed(id, (ticket) => expect(ticket).toMatchObject({ status: 'open', version: 7 })); // it was open before, too
    expect(await messagesOf(id)).toEqual([expect.objectContaining({ role: 'user', content: 'Not here yet!', name: rita.email })]);
    // By the id of our mail from another address of hers, by number from her own.
    expect((await write({ From: 'rita@elsewhere.example', 'In-Reply-To': mail.messageId }, 'two')).body).toEqual({ outcome: 'appended', ticketId: id });
    expect((await write(from, 'three')).body).toEqual({ outcome: 'appended', ticketId: id });
    await eventually(async () => expect((await messagesOf(id)).map(({ content }) => content)).toEqual(['Not here yet!', 'two', 'three']));
  });

  it('of a stranger who guesses a number, and one that proves a ticket of another organisation, open their own', async () => {
    const rita = someone();
    const id = await opened({ requester: rita });
    const { number } = (await ada.get(`/tickets/${id}`)).body as { number: number };
    await replied(id);
    const mail = await mailTo(rita.email);
    const forged = mail.replyTo.replace(/\.[0-9a-f]+@/, '.0123456789abcdef0123@');
    for (const headers of [{ Subject: `[#${number}] me too` }, { To: forged }] as Record<string, string>[]) expect((await write({ From: 'eve@example.org', ...headers })).body).toMatchObject({ outcome: 'opened' });
    const crossed = await write({ From: rita.email, To: `${twin}@${domain}`, 'In-Reply-To': mail.messageId, Subject: `[#${number}]` });
    expect(crossed.body).toMatchObject({ outcome: 'opened' });
    await eventually(async () => expect((await stranger.get(`/tickets/${crossed.body.ticketId}`)).status).toBe(200));
    expect((await ada.get(`/tickets/${crossed.body.ticketId}`)).status).toBe(404);
    expect(await messagesOf(id)).toEqual([]);
  });

  it('after closing opens a ticket that follows up', async () => {
    const rita = someone();
    const id = await opened({ requester: rita });
    await replied(id);
    const mail = await mailTo(rita.email);
    await moved(id, 'pending', 'resolved', 'closed');
    await heard();
    const { body } = await write({ From: rita.email, To: mail.replyTo, Subject: 'Still broken' });
    await followed(body.ticketId, (ticket) => expect(ticket).toMatchObject({ followUpOf: id, assistantId: 'billing-bot', title: 'Still broken' }));
  });

  it.each([
    [{ 'Auto-Submitted': 'auto-replied' }, 'auto-submitted'],
    [{ 'Return-Path': '<>' }, 'null-return-path'],
    [{ Precedence: 'bulk' }, 'precedence'],
    [{ From: `Acme <${org}@${domain}>` }, 'own-mail'],
  ])('that nobody wrote is ignored: %j', async (headers, reason) => {
    expect((await write({ From: 'rita@example.org', ...headers })).body).toEqual({ outcome: 'ignored', reason });
  });

  it('has an answer of its own whatever is wrong with it, and the next one is taken', async () => {
    const hostile: [string | Buffer, number, string?][] = [
      ['', 422, 'no_sender'],
      [Buffer.from([0, 1, 2, 255, 254]), 422, 'no_sender'],
      [mailText({ From: 'a@example.org, b@example.org', To: `${org}@${domain}` }), 422, 'several_senders'],
      [mailText({ From: 'rita@example.org', To: 'someone@else.example' }), 422, 'unknown_recipient'],
      [mailText({ From: 'rita@example.org', To: `nobody-here@${domain}` }), 422, 'unknown_recipient'],
      [`${'X-More: header\r\n'.repeat(30_000)}\r\ntext`, 422, 'too_complex'],
      [nested(2_000), 422, 'too_complex'],
      [mailText({ From: 'bomb@example.org', To: `${org}@${domain}`, Subject: '=?utf-8?q?=00=ED=A0=80?= '.repeat(5_000), 'Message-ID': '' }, '\0text\ud800'), 202],
      [`${'X-More: header\r\n'.repeat(10_000)}From: many@example.org\r\nTo: ${org}@${domain}\r\n\r\ntext`, 202],
      [mailText({ From: 'big@example.org', To: `${org}@${domain}` }, 'x'.repeat(9 * 1024 * 1024)), 202],
    ];
    for (const [raw, status, code] of hostile) {
      const answer = await handedIn(stack.gatewayUrl, raw);
      expect([answer.status, answer.body.errors?.[0]?.code]).toEqual([status, code]);
      if (status === 202) await eventually(async () => expect((await ada.get(`/tickets/${answer.body.ticketId}`)).status).toBe(200));
    }
    const whole = mailText({ From: 'rita@example.org', To: `${org}@${domain}` });
    expect((await handedIn(stack.gatewayUrl, mailText({ From: 'rita@example.org' }, 'x'.repeat(11 * 1024 * 1024)))).status).toBe(413);
    expect((await handedIn(stack.gatewayUrl, whole, { secret: `whsec_${Buffer.alloc(32).toString('base64')}` })).status).toBe(401);
    expect((await handedIn(stack.gatewayUrl, whole, { at: Date.now() - 3_600_000 })).status).toBe(401);
    expect((await handedIn(stack.gatewayUrl, whole, { type: 'text/plain' })).status).toBe(415);
    expect((await handedIn(stack.gatewayUrl, whole)).status).toBe(202);
  });
});

/** A mail of parts within parts. */
function nested(depth: number): string {
  const part = (i: number): string => `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n`;
  return `From: deep@example.org\r\nTo: ${org}@${domain}\r\n${Array.from({ length: depth }, (_, i) => part(i)).join('')}`;
}
