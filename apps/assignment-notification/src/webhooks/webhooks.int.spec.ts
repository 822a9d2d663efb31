import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Principal, TicketEvent } from '#contracts';
import { eventually as within } from '../../../../libs/servers/testing/eventually.js';
import { course } from '../../testing/course.js';
import { Receiver } from '../../testing/receiver.js';
import { member, Running } from '../../testing/running.js';
import { Noticing } from '../notices/noticing.js';
import { WebhookBook } from './webhook-book.store.js';
import { WebhookChannel } from './webhook.channel.js';

const eventually = (attempt: () => Promise<unknown>) => within(attempt, String(attempt));

const who = (orgId: string, role: 'admin' | 'member' = 'admin'): Principal => ({ orgId, actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role, assistantIds: [] } });
const assistant = (orgId: string, id: string) => ({ ...member(orgId, id), kind: 'assistant' as const, value: { id, name: id, memberIds: [] } });

let running: Running;
let receiver: Receiver;
let org: string;

beforeAll(async () => {
  running = await Running.start();
});
afterAll(() => running?.stop());
beforeEach(async () => {
  org = `org-${randomUUID().slice(0, 8)}`;
  receiver = await Receiver.open();
  await running.know(assistant(org, 'billing-bot') as never);
});
afterEach(() => receiver.close());

const made = async (input: object = {}) => (await running.ask(who(org), 'POST', '/webhooks', { body: { name: 'One', url: receiver.url, ...input } })).body;
const shown = async (id: string) => (await running.ask(who(org), 'GET', `/webhooks/${id}`)).body;
const deliveries = async (id: string, query = '') => (await running.ask(who(org), 'GET', `/webhooks/${id}/deliveries${query}`)).body;
/** Events of now. */
const happened = (assistantId: string | null = null, orgId = org): TicketEvent[] => course(orgId).created({ assistantId }).moved('pending').events.map((event) => ({ ...event, at: new Date().toISOString() }));

describe('a webhook', () => {
  it('is sent what happens, signed, once, in order; another organisation’s is not', async () => {
    const webhook = await made();
    const events = happened();
    await running.tell(...events, ...happened(null, 'elsewhere'), ...events);
    await running.tell(...events);
    await eventually(async () => expect((await deliveries(webhook.id, '?state=delivered')).items).toHaveLength(2));
    expect(receiver.ids).toEqual(events.map(({ ticketId, version }) => `${ticketId}:${version}`));
    expect(receiver.verified(webhook.secret)).toMatchObject([{ type: 'created', version: 1 }, { type: 'status-changed', data: { to: 'pending' }, ticket: { status: 'pending' } }]);
  });

  it('is sent what happens right after it was made, or enabled again, whatever was known a moment before', async () => {
    await made({ url: `${receiver.url}/other` });
    for (let i = 0; i < 3; i += 1) {
      await running.tell(...happened());
      const webhook = await made();
      const events = happened();
      await running.tell(...events);
      await eventually(async () => expect((await deliveries(webhook.id)).items.map((one: { state: string }) => one.state)).toEqual(['delivered', 'delivered']));
      await running.ask(who(org), 'PUT', `/webhooks/${webhook.id}`, { body: { name: 'One', url: receiver.url, enabled: false } });
      await running.tell(...happened());
      await running.ask(who(org), 'PUT', `/webhooks/${webhook.id}`, { body: { name: 'One', url: receiver.url } });
      await running.tell(...happened());
      await eventually(async () => expect((await deliveries(webhook.id)).items.map((one: { state: string }) => one.state)).toEqual(Array(4).fill('delivered')));
    }
  });

  it('is looked up once for many deliveries that go out together, and never as it was before they were asked for', async () => {
    const webhook = await made();
    const book = running.part(WebhookBook);
    const revisions = book.revisions.bind(book);
    const looks = jest.spyOn(book, 'revisions');
    // Deliveries of other organisations, tried again, have theirs looked up as well.
    const looksHere = () => looks.mock.calls.filter(([orgIds]) => orgIds.includes(org)).length;
    await running.tell(...Array.from({ length: 100 }, () => happened()[0]!));
    await eventually(async () => expect(receiver.received).toHaveLength(100));
    expect(looksHere()).toBeLessThan(40);
    let goOn: (() => void) | undefined;
    looks.mockClear().mockImplementation(async (orgIds) => {
      const found = await revisions(orgIds);
      if (orgIds.includes(org) && goOn === undefined) await new Promise<void>((resolve) => (goOn = resolve));
      return found;
    });
    const before = book.one(org, webhook.id);
    await eventually(async () => expect(goOn).toBeDefined());
    expect(looksHere()).toBe(1);
    await running.ask(who(org), 'PUT', `/webhooks/${webhook.id}`, { body: { name: 'Changed', url: receiver.url } });
    const after = book.one(org, webhook.id);
    goOn!();
    expect([(await before)?.name, (await after)?.name]).toEqual(['One', 'Changed']);
    looks.mockRestore();
  });

  it('shows its secret once: not in a repeat, nor anywhere else', async () => {
    const [id, body] = [randomUUID(), { name: 'One', url: receiver.url }];
    const first = await running.ask(who(org), 'POST', '/webhooks', { id, body });
    const again = await running.ask(who(org), 'POST', '/webhooks', { id, body });
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 201, 'true']);
    const { secret, ...rest } = first.body;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(again.body).toEqual(rest);
    const changed = await running.ask(who(org), 'PUT', `/webhooks/${id}`, { body: { ...body, name: 'Two' } });
    expect([changed.body.name, JSON.stringify([changed.body, await shown(id)]).includes(secret.slice(6))]).toEqual(['Two', false]);
    expect((await running.ask(who(org), 'GET', '/webhooks')).body.items).toHaveLength(1);
  });

  it('is signed with both secrets until the older one’s time is over', async () => {
    const webhook = await made();
    const rotated = await running.ask(who(org), 'POST', `/webhooks/${webhook.id}/secrets`, { body: { overlapSeconds: 60 } });
    await eventually(async () => {
      await running.ask(who(org), 'POST', `/webhooks/${webhook.id}/test`);
      expect(receiver.received.at(-1)?.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    });
    receiver.received.splice(0, receiver.received.length - 1);
    expect(receiver.verified(webhook.secret)).toEqual(receiver.verified(rotated.body.secret));
    expect(rotated.body.secrets).toMatchObject([{ validUntil: null }, { validUntil: expect.any(String) }]);
    const at = { body: { overlapSeconds: 0 } };
    const only = await running.ask(who(org), 'POST', `/webhooks/${webhook.id}/secrets`, at);
    expect(only.body.secrets.map((one: { validUntil: string | null }) => one.validUntil === null)).toEqual([true, false]);
  });

  it('is for administrators of its organisation', async () => {
    const webhook = await made();
    expect((await running.ask(who(org, 'member'), 'GET', '/webhooks')).status).toBe(403);
    for (const [method, path] of [['GET', ''], ['PUT', ''], ['DELETE', ''], ['POST', '/secrets'], ['POST', '/test'], ['GET', '/deliveries'], ['POST', '/deliveries/x/redeliver'], ['POST', '/replay'], ['DELETE', '/replay']] as const) {
      const body = { PUT: { name: 'x', url: receiver.url }, POST: path === '/replay' ? { from: '2026-01-01T00:00:00Z' } : {} }[method as 'PUT'];
      const { status } = await running.ask(who('elsewhere'), method, `/webhooks/${webhook.id}${path}`, body && !/test|redeliver/.test(path) ? { body } : {});
      expect([method, path, status]).toEqual([method, path, 404]);
    }
    expect((await shown(webhook.id)).name).toBe('One');
  });

  it('names what is not there: the webhook, or its delivery', async () => {
    const { id } = await made();
    const asked = async (path: string) => (await running.ask(who(org), 'POST', `/webhooks/${path}/deliveries/x/redeliver`)).body.detail;
    expect([await asked(id), await asked(randomUUID())]).toEqual(['There is no such delivery.', 'There is no such webhook.']);
  });

  it.each([
    [{ url: 'ftp://example.org' }, 'bad_url'],
    [{ url: 'http://example.org/' }, 'bad_url'],
    [{ url: 'https://ada:secret@example.org/' }, 'bad_url'],
    [{ url: 'https://10.0.0.1/' }, 'private_address'],
    [{ url: 'https://[::ffff:169.254.169.254]/' }, 'private_address'],
    [{ url: 'https://0xa9fea9fe/' }, 'private_address'],
    [{ assistantIds: ['nobody'] }, 'unknown_assistant'],
    [{ types: ['exploded'] }, 'invalid_value'],
    [{ name: 'x'.repeat(201) }, 'too_long'],
    [{ url: `https://example.org/${'x'.repeat(2_048)}` }, 'too_big'],
    [{ exceptActors: [{ type: 'agent', id: 'x', name: 'y' }] }, 'unknown_field'],
  ])('is not made of %j', async (input, code) => {
    const { status, body } = await running.ask(who(org), 'POST', '/webhooks', { body: { name: 'One', url: receiver.url, ...input } });
    expect([status, body.errors?.map((one: { code: string }) => one.code)]).toEqual([422, [code]]);
  });

  it('is one of a hundred at most', async () => {
    for (let i = 0; i < 100; i += 1) await made();
    const { status, body } = await running.ask(who(org), 'POST', '/webhooks', { body: { name: 'One', url: receiver.url } });
    expect([status, body.errors?.[0].code]).toEqual([422, 'too_many']);
  });

  it('gets a header from nobody: what is in its address stays there', async () => {
    const webhook = await made({ url: `${receiver.url}?a=%0d%0ax-evil:%201` });
    await running.ask(who(org), 'POST', `/webhooks/${webhook.id}/test`);
    await eventually(async () => expect(receiver.received).toHaveLength(1));
    expect(receiver.received[0]!.headers['x-evil']).toBeUndefined();
    expect(receiver.verified(webhook.secret)).toMatchObject([{ type: 'test', webhookId: webhook.id }]);
  });
});

describe('deliveries', () => {
  it('are listed with what was answered, page by page, and are sent again when somebody asks', async () => {
    receiver.answer = (response) => response.writeHead(500).end('no\u0000 way');
    const webhook = await made();
    const events = [happened(), happened()].flat();
    await running.tell(...events);
    await eventually(async () => expect((await deliveries(webhook.id, '?state=failed')).items).toHaveLength(4));
    const first = await deliveries(webhook.id, '?limit=3');
    const rest = await deliveries(webhook.id, `?limit=3&after=${first.nextAfter}`);
    expect([first.items.length, rest.items.length, rest.nextAfter]).toEqual([3, 1, null]);
    const [one] = rest.items;
    expect(one).toMatchObject({ state: 'failed', tries: 3, attempts: [{ isDelivered: false, detail: '500 no way' }, {}, {}], ticketId: expect.any(String) });
    expect((await running.ask(who(org), 'GET', `/webhooks/${webhook.id}/deliveries?after=x`)).body.type).toBe('/problems/invalid-cursor');
    receiver.answer = (response) => response.end();
    receiver.received.length = 0;
    const id = randomUUID();
    for (let i = 0; i < 2; i += 1) {
      expect((await running.ask(who(org), 'POST', `/webhooks/${webhook.id}/deliveries/${encodeURIComponent(one.id)}/redeliver`, { id })).status).toBe(202);
      await eventually(async () => expect((await deliveries(webhook.id, '?state=delivered')).items).toHaveLength(1));
    }
    expect(receiver.ids).toEqual([one.messageId]);
  });

  it('are dropped with what they are for: a webhook that is off or deleted gets no more', async () => {
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': '60' }).end();
    const webhook = await made();
    await running.tell(...happened());
    await eventually(async () => expect(receiver.received).toHaveLength(1));
    await eventually(async () => expect((await deliveries(webhook.id)).items.find((one: { tries: number }) => one.tries === 1)?.nextTryAt > new Date(Date.now() + 30_000).toISOString()).toBe(true));
    expect((await running.ask(who(org), 'PUT', `/webhooks/${webhook.id}`, { body: { name: 'One', url: receiver.url, enabled: false } })).status).toBe(200);
    expect((await deliveries(webhook.id)).items.map((one: { state: string }) => one.state)).toEqual(['dropped', 'dropped']);
    expect((await running.ask(who(org), 'DELETE', `/webhooks/${webhook.id}`)).status).toBe(204);
    await running.tell(...happened());
    expect((await running.ask(who(org), 'GET', `/webhooks/${webhook.id}`)).status).toBe(404);
    expect(receiver.received).toHaveLength(1);
  });
});

describe('what was taken from a webhook', () => {
  it('is not sent to it, though it was claimed before', async () => {
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': '60' }).end();
    const at = new Date().toISOString();
    const webhook = await made({ notes: true });
    const [said, other] = [course(org).created({ assistantId: 'billing-bot' }).commented('note', 'between us'), course(org).created({ assistantId: null })];
    const events = [...said.events, ...other.events].map((event) => ({ ...event, at: new Date(Date.parse(at) + 60_000).toISOString() }));
    for (const event of events) {
      await running.tell(event);
      await eventually(async () => expect((await deliveries(webhook.id)).items[0]).toMatchObject({ ticketId: event.ticketId, messageId: `${event.ticketId}:${event.version}` }));
    }
    const items = () => deliveries(webhook.id).then(({ items: all }) => all as { id: string; messageId: string; state: string; tries: number }[]);
    // Both heads: none is under way while the webhook is changed.
    await eventually(async () => expect((await items()).filter(({ tries }) => tries > 0)).toHaveLength(2));
    await running.ask(who(org), 'PUT', `/webhooks/${webhook.id}`, { body: { name: 'One', url: receiver.url, notes: false, assistantIds: ['billing-bot'] } });
    receiver.answer = (response) => response.end();
    receiver.received.length = 0;
    for (const { id } of (await items()).reverse()) await running.ask(who(org), 'POST', `/webhooks/${webhook.id}/deliveries/${encodeURIComponent(id)}/redeliver`);
    await eventually(async () => expect((await items()).every(({ state }) => state !== 'waiting')).toBe(true));
    const states = Object.fromEntries((await items()).map(({ messageId, state }) => [messageId, state]));
    expect(states).toEqual({ [`${said.id}:1`]: 'delivered', [`${said.id}:2`]: 'dropped', [`${other.id}:1`]: 'dropped' });
    expect(receiver.ids).toEqual([`${said.id}:1`]);
  });
});

describe('a webhook that takes nothing', () => {
  it('is switched off when it answers 410, until somebody enables it again', async () => {
    receiver.answer = (response) => response.writeHead(410).end();
    const webhook = await made();
    await running.tell(...happened());
    await eventually(async () => expect(await shown(webhook.id)).toMatchObject({ enabled: false, switchedOff: { reason: 'gone' } }));
    await running.tell(...happened());
    receiver.answer = (response) => response.end();
    const on = await running.ask(who(org), 'PUT', `/webhooks/${webhook.id}`, { body: { name: 'One', url: receiver.url } });
    expect(on.body).toMatchObject({ enabled: true, switchedOff: null });
    const events = happened();
    await running.tell(...events);
    await eventually(async () => expect(receiver.ids.slice(1)).toEqual(events.map(({ ticketId, version }) => `${ticketId}:${version}`)));
  });

  it('stays as somebody has left it who changed it while it was switched off', async () => {
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': '60' }).end();
    const webhook = await made();
    await running.tell(...happened());
    await eventually(async () => expect((await deliveries(webhook.id)).items.map((one: { state: string }) => one.state)).toEqual(['waiting', 'waiting']));
    const changed = { name: 'Moved', url: `${receiver.url}/moved` };
    const announcing = jest.spyOn(running.part(Noticing), 'announce').mockImplementationOnce(async () => {
      expect((await running.ask(who(org), 'PUT', `/webhooks/${webhook.id}`, { body: changed })).status).toBe(200);
    });
    const judge = () => running.part(WebhookChannel).judge(`webhook:${org}/${webhook.id}`, { isAnswering: false, isGone: true, as: webhook.updatedAt });
    expect(await judge()).toBeUndefined();
    expect(await judge()).toBeUndefined();
    expect(announcing).toHaveBeenCalledTimes(1);
    announcing.mockRestore();
    expect(await shown(webhook.id)).toMatchObject({ ...changed, enabled: true, switchedOff: null });
    expect((await deliveries(webhook.id)).items.map((one: { state: string }) => one.state)).toEqual(['waiting', 'waiting']);
  });

  it('that is gone says nothing of the address that has taken its place meanwhile: that one is sent everything', async () => {
    const moved = await Receiver.open();
    const webhook = await made();
    const move = () => running.ask(who(org), 'PUT', `/webhooks/${webhook.id}`, { body: { name: 'Moved', url: moved.url } });
    receiver.answer = (response) => void move().then(() => response.writeHead(410).end());
    const events = [happened(), happened()].flat();
    await running.tell(...events);
    await eventually(async () => expect((await deliveries(webhook.id)).items.map((one: { state: string }) => one.state)).toEqual(Array(4).fill('delivered')));
    expect(new Set(moved.ids)).toEqual(new Set(events.map(({ ticketId, version }) => `${ticketId}:${version}`)));
    expect(await shown(webhook.id)).toMatchObject({ enabled: true, switchedOff: null });
    await moved.close();
  });

  it('is switched off when nothing has come through for as long as operators say', async () => {
    receiver.answer = (response) => response.writeHead(302, { location: 'http://127.0.0.1/' }).end();
    const webhook = await made();
    await running.tell(...happened());
    await eventually(async () => expect((await shown(webhook.id)).failingSince).toEqual(expect.any(String)));
    const almost = new Date(Date.now() - 5 * 86_400_000 + 600_000);
    const health = running.db.collection<{ _id: string }>('webhook_health');
    const since = (failingSince: Date) => health.updateOne({ _id: `webhook:${org}/${webhook.id}` }, { $set: { failingSince } });
    await since(almost);
    await eventually(async () => expect((await deliveries(webhook.id, '?state=failed')).items).not.toEqual([]));
    expect(await shown(webhook.id)).toMatchObject({ enabled: true, failingSince: almost.toISOString() });
    await since(new Date(almost.getTime() - 600_000));
    await eventually(async () => {
      await running.tell(...happened());
      expect(await shown(webhook.id)).toMatchObject({ enabled: false, switchedOff: { reason: 'failing' } });
    });
    await eventually(async () => expect((await deliveries(webhook.id, '?state=waiting')).items).toEqual([]));
  });
});
