import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DeadlineNews } from '#contracts';
import { ProblemError, problemOf } from '#observability';
import { ada, agent, grace } from '../../../../libs/contracts/testing/builders.js';
import { eventually as within } from '../../../../libs/servers/testing/eventually.js';
import type { AuthGuard } from '../auth.guard.js';
import type { Caller } from '../caller.js';
import type { Queries, Query } from '../queries.js';
import type { FollowedEvent } from './org-feed.js';
import { openStreams } from '../metrics.js';
import { Streams } from './streams.js';

Logger.overrideLogger(false);

const eventually = (holds: () => boolean | Promise<boolean>) => within(holds, String(holds));

interface FollowQuery {
  after?: string;
  limit: number;
  waitMs: number;
  isRecent?: true;
}

/** A feed in memory, as query-search answers for it; places are its numbers. */
class FakeFeed {
  readonly events: Omit<FollowedEvent, 'order'>[] = [];
  readonly demanded: unknown[] = [];
  largest = 500;
  isAway = false;
  /** What holds answers up. */
  opening: Promise<void> | undefined;
  /** What holds news up for those who wait for them. */
  held: Promise<void> | undefined;
  /** What holds later pages up for those who read what they missed. */
  missed: Promise<void> | undefined;
  asked = 0;
  /** Questions that are not answered yet; who follows has always one. */
  open = 0;
  failed = 0;

  add(text = 'x', assistantId = 'billing-bot', version = 1) {
    const number = this.events.length + 1;
    const sight = { assistantId, assignee: null, createdBy: { type: 'member' as const, id: 'ada' } };
    this.events.push({ place: `${number}.1.sig`, ticketId: `t${number}`, version, sight, isNote: false, text: JSON.stringify({ number, text }) });
  }

  follow = async (_: unknown, query: FollowQuery, signal: AbortSignal) => {
    this.asked += 1;
    this.open += 1;
    return this.answer(query, signal).finally(() => (this.open -= 1));
  };

  private async answer({ after, limit, waitMs, isRecent }: FollowQuery, signal: AbortSignal) {
    if (after !== undefined && waitMs === 0) this.demanded.push(isRecent);
    await this.opening;
    this.demandThere();
    if (after === undefined) return { status: 200, body: { items: [], next: this.events.at(-1)?.place ?? '0.0.sig' } };
    return /^\d+\.\d\.sig$|^0$/.test(after) ? this.page(after, { limit, waitMs }, signal) : { status: 422, body: {} };
  }

  private demandThere() {
    if (!this.isAway) return;
    this.failed += 1;
    throw new ProblemError('dependency-unavailable', 'away');
  }

  /** Tickets as they are now, by id; of others nobody knows. */
  readonly tickets = new Map<string, { version: number; assistantId: string }>();
  readonly looked: string[] = [];
  /** What holds answers about tickets up. */
  looking: Promise<void> | undefined;

  ask = async ({ path, principal }: Query) => {
    this.looked.push(path);
    expect(principal.orgId).toBe(grace.orgId);
    await this.looking;
    if (this.isAway) throw new ProblemError('dependency-unavailable', 'away');
    const ticket = this.tickets.get(path.slice('/v1/tickets/'.length));
    return { status: ticket ? 200 : 410, body: Buffer.from(JSON.stringify({ ...ticket, assignee: null, createdBy: { type: 'agent', id: 'bot' } })) };
  };

  private async page(after: string, { limit, waitMs }: { limit: number; waitMs: number }, signal: AbortSignal) {
    const from = Number(after.split('.')[0]);
    await this.beyond(from, waitMs, signal);
    this.demandThere();
    await (waitMs > 0 ? this.held : from > 0 && this.missed);
    const items = this.events.slice(from, from + Math.min(limit, this.largest));
    return { status: 200, body: { items, next: items.at(-1)?.place ?? after } };
  }

  private async beyond(from: number, waitMs: number, signal: AbortSignal) {
    for (const end = Date.now() + waitMs; this.events.length <= from && Date.now() < end && !signal.aborted; ) await delay(5);
  }
}

let feed: FakeFeed;
let caller: Caller;
let refusal: Error | undefined;
/** How often it was asked who somebody is, and how many answers are over. */
let [admitted, closed] = [0, 0];
let streams: Streams;
let server: Server;
let port: number;
const leaving: Pick<AbortController, 'abort'>[] = [];

beforeEach(async () => {
  feed = new FakeFeed();
  [caller, refusal] = [{ principal: grace, channel: 'api' }, undefined];
  [admitted, closed] = [0, 0];
  const admit = () => {
    admitted += 1;
    return refusal ? Promise.reject(refusal) : caller;
  };
  const guard = { admit } as unknown as AuthGuard;
  streams = new Streams({ follow: feed.follow, ask: feed.ask } as unknown as Queries, guard);
  [streams.recheckMs, streams.heartbeatMs] = [20, 60];
  server = createServer((raw, response) => void serve(raw, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  leaving.splice(0).forEach((one) => one.abort());
  streams.beforeApplicationShutdown();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Resolves when the rights of who listens were looked at twice: what the first look said counts by then. */
async function rechecked() {
  const before = admitted;
  await eventually(() => admitted >= before + 2);
}

async function serve(raw: IncomingMessage, response: ServerResponse) {
  response.once('close', () => (closed += 1));
  const request = { caller, headers: raw.headers, method: raw.method, url: raw.url };
  const reply = { hijack: () => undefined, raw: response, getHeaders: () => ({ 'x-request-id': 'r1' }), headers: () => reply, send: () => response.end() };
  await streams.open({ request, reply } as never).catch((error: unknown) => response.writeHead(problemOf(error).problem.status).end());
}

/** Text of a stream as it comes. */
async function listen(lastEventId?: string) {
  const leave = new AbortController();
  leaving.push(leave);
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: leave.signal, ...(lastEventId !== undefined && { headers: { 'last-event-id': lastEventId } }) });
  const heard = { status: response.status, headers: response.headers, text: '', isOver: false, leave: () => leave.abort() };
  const read = async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) heard.text += chunk;
  };
  void read().catch(() => undefined).finally(() => (heard.isOver = true));
  return heard;
}
/** A reader that takes a piece every few ms. */
async function listenSlowly(lastEventId?: string) {
  const socket = connect(port, '127.0.0.1').pause();
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    socket.pause();
    setTimeout(() => socket.resume(), 2);
  });
  socket.on('error', () => undefined);
  leaving.push({ abort: () => void socket.destroy() });
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\n${lastEventId === undefined ? '' : `last-event-id: ${lastEventId}\r\n`}\r\n`);
  socket.resume();
  await eventually(() => pieces.length > 0);
  return { text: () => Buffer.concat(pieces).toString() };
}
/** A reader that takes the head of the answer, and then nothing. */
async function stalled() {
  const socket = connect(port, '127.0.0.1');
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => void pieces.push(piece)).on('error', () => undefined);
  leaving.push({ abort: () => void socket.destroy() });
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => pieces.length > 0);
  socket.pause();
  return { socket, pieces, text: () => Buffer.concat(pieces).toString() };
}
const numbers = (text: string) => [...text.matchAll(/data: \{"number":(\d+)/g)].map(([, number]) => Number(number));

describe('a stream', () => {
  it('begins with a place to come back to, and shows every now and then that it lives, and where it is', async () => {
    feed.add('hidden', 'tech-bot');
    const heard = await listen();
    expect([heard.status, heard.headers.get('content-type'), heard.headers.get('x-request-id')]).toEqual([200, 'text/event-stream; charset=utf-8', 'r1']);
    await eventually(() => /^retry: \d+\nid: 1\.1\.sig\n\n/.test(heard.text));
    feed.add('hidden, too', 'tech-bot');
    await eventually(() => heard.text.includes(': still here\nid: 2.1.sig\n\n'));
    expect(numbers(heard.text)).toEqual([]);
  });

  it('tells what was missed, more than one request brings, and goes on live without a gap or a repeat', async () => {
    for (let i = 0; i < 1_200; i++) feed.add();
    const heard = await listen('100.1.sig');
    for (let i = 0; i < 50; i++) {
      feed.add();
      if (i % 10 === 0) await delay(5);
    }
    await eventually(() => numbers(heard.text).length >= 1_150);
    expect(numbers(heard.text)).toEqual(Array.from({ length: 1_150 }, (_, i) => 101 + i));
  });

  it('hears once what it has read before those who are live heard of it', async () => {
    const live = await listen();
    let go = () => undefined as void;
    feed.held = new Promise((resolve) => (go = resolve));
    for (let i = 0; i < 3; i++) feed.add();
    const ahead = await listen('0');
    await eventually(() => numbers(ahead.text).length === 3);
    go();
    await eventually(() => numbers(live.text).length === 3);
    feed.add();
    await eventually(() => numbers(ahead.text).includes(4));
    expect(numbers(ahead.text)).toEqual([1, 2, 3, 4]);
  });

  it('does not pass over what it has still to read when something new comes', async () => {
    feed.largest = 2;
    for (let i = 0; i < 4; i++) feed.add();
    let go = () => undefined as void;
    feed.missed = new Promise((resolve) => (go = resolve));
    const live = await listen();
    const behind = await listen('0');
    await eventually(() => numbers(behind.text).length === 2);
    feed.add();
    await eventually(() => numbers(live.text).length === 1);
    go();
    await eventually(() => numbers(behind.text).includes(5));
    expect(numbers(behind.text)).toEqual([1, 2, 3, 4, 5]);
  });

  it('of one organisation is followed once, and no more when nobody listens', async () => {
    const all = [await listen(), await listen(), await listen()];
    feed.add();
    for (const heard of all) await eventually(() => numbers(heard.text).length === 1);
    all.forEach(({ leave }) => leave());
    await eventually(() => feed.open === 0);
  });

  it('lasts while events cannot be read, and tells them later', async () => {
    const heard = await listen();
    feed.isAway = true;
    feed.add();
    await eventually(() => feed.failed > 0);
    feed.isAway = false;
    await eventually(() => numbers(heard.text).length === 1);
    expect(heard.isOver).toBe(false);
  });

  it('judges by the rights of now, and ends when they are gone', async () => {
    const heard = await listen();
    caller = { ...caller, principal: { ...grace, access: { ...grace.access, assistantIds: [] } } };
    await rechecked();
    const { asked } = feed;
    feed.add('not any more');
    await eventually(() => feed.asked > asked);
    caller = { ...caller, principal: ada };
    await rechecked();
    feed.add('everything', 'tech-bot');
    await eventually(() => numbers(heard.text).length === 1);
    expect(numbers(heard.text)).toEqual([2]);
    refusal = new ProblemError('unauthenticated', 'gone');
    await eventually(() => heard.isOver);
  });

  it('ends when nobody can tell any more what its reader may see, and when they may not read', async () => {
    const heard = await listen();
    refusal = new ProblemError('dependency-unavailable', 'nobody can tell');
    await eventually(() => heard.isOver);
    refusal = undefined;
    caller = { ...caller, principal: agent('billing-bot', 'tickets:read') };
    const other = await listen();
    caller = { ...caller, principal: agent('billing-bot', 'tickets:write') };
    await eventually(() => other.isOver);
    expect((await listen()).status).toBe(403);
  });

  it('goes on from lately only for who does not see everything', async () => {
    feed.add();
    await listen('0');
    caller = { ...caller, principal: ada };
    await listen('0');
    await eventually(() => feed.demanded.length >= 2);
    expect(feed.demanded.slice(0, 2)).toEqual([true, undefined]);
  });

  it('that its reader leaves while it opens is none', async () => {
    let go = () => undefined as void;
    feed.opening = new Promise((resolve) => (go = resolve));
    const leave = new AbortController();
    const asking = fetch(`http://127.0.0.1:${port}/`, { signal: leave.signal }).catch(() => undefined);
    await eventually(() => feed.asked > 0);
    leave.abort();
    await asking;
    await eventually(() => closed === 1);
    go();
    feed.opening = undefined;
    await eventually(async () => (await openStreams.get()).values[0]!.value === 0);
    await eventually(() => feed.open === 0);
  });

  it('tells somebody what they are told, without a place, where they see it and nobody else', async () => {
    const heard = await listen();
    const notices = () => [...heard.text.matchAll(/event: notice\ndata: \{"id":"(\w+)"\}\n\n/g)].map(([, id]) => id);
    const sight = { assistantId: 'billing-bot', assignee: null, createdBy: { type: 'member' as const, id: 'ada' } };
    const told = (id: string, changes: object = {}) => ({ orgId: 'acme', memberId: 'grace', sight, isNote: true, notice: { id }, ...changes }) as never;
    streams.tellNotices([told('hidden', { sight: { ...sight, assistantId: 'tech-bot' } }), told('twin', { orgId: 'globex' }), told('affair', { sight: null }), told('other', { memberId: 'linus' }), told('n1')]);
    feed.add();
    await eventually(() => numbers(heard.text).length === 1);
    expect([notices(), [...new Set(heard.text.match(/^id: .*$/gm))]]).toEqual([['n1'], ['id: 0.0.sig', 'id: 1.1.sig']]);
    caller = { ...caller, principal: ada };
    await eventually(() => {
      streams.tellNotices([told('a1', { memberId: 'ada', sight: null })]);
      return notices().includes('a1');
    });
  });

  it('is not opened by a gateway that stops, however far it has come', async () => {
    let go = () => undefined as void;
    feed.opening = new Promise((resolve) => (go = resolve));
    const asking = listen();
    await eventually(() => feed.asked > 0);
    streams.beforeApplicationShutdown();
    go();
    expect((await asking).status).toBe(503);
    expect((await listen()).status).toBe(503);
  });

  it('of a reader who takes their time has everything, however much was missed or comes at once', async () => {
    feed.largest = 100;
    for (let i = 0; i < 300; i++) feed.add('x'.repeat(20_000));
    const missed = await listenSlowly('0');
    const live = await listenSlowly();
    for (let i = 0; i < 100; i++) feed.add('x'.repeat(20_000));
    await eventually(() => numbers(live.text()).length === 100 && numbers(missed.text()).length === 400);
    expect(numbers(missed.text())).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    expect(numbers(live.text())).toEqual(Array.from({ length: 100 }, (_, i) => i + 301));
  });

  it('ends when nobody can tell any more whether its key counts', async () => {
    caller = { ...caller, until: Date.now() + 2_000 };
    const heard = await listen();
    expect(heard.status).toBe(200);
    await eventually(() => heard.isOver);
  });

  it('refuses a place that is none before it begins', async () => {
    expect([(await listen('nonsense')).status, (await listen('1.1.sig')).status]).toEqual([422, 200]);
    feed.isAway = true;
    caller = { ...caller, principal: { ...grace, orgId: 'another' } };
    expect((await listen()).status).toBe(503);
  });

  it('of a reader who takes nothing is broken off after a while; the reader goes on behind what came, without a gap', async () => {
    streams.slowMs = 100;
    const { socket, pieces, text } = await stalled();
    for (let i = 0; i < 60; i++) feed.add('x'.repeat(300_000));
    await eventually(async () => (await openStreams.get()).values[0]!.value === 0);
    socket.resume();
    await eventually(() => socket.closed);
    const whole = text().slice(0, text().lastIndexOf('\n\n'));
    const last = numbers(whole).at(-1)!;
    expect(pieces.length).toBeGreaterThan(0);
    expect(last).toBeLessThan(60);
    streams.slowMs = 15_000;
    const again = await listen([...whole.matchAll(/^id: (.*)$/gm)].at(-1)![1]);
    await eventually(() => numbers(again.text).at(-1) === 60);
    expect(numbers(again.text)[0]).toBe(last + 1);
  });

  it('of a reader who takes nothing harms nobody, and ends with the gateway', async () => {
    const socket = connect(port, '127.0.0.1').pause();
    let isOver = false;
    socket.on('close', () => (isOver = true)).on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const other = await listen();
    await eventually(() => other.text !== '');
    for (let i = 0; i < 60; i++) feed.add('x'.repeat(300_000));
    await eventually(() => numbers(other.text).length === 60);
    streams.beforeApplicationShutdown();
    await eventually(() => other.isOver);
    socket.resume();
    await eventually(() => isOver);
  });
});

describe('news of deadlines on a stream', () => {
  const news = (ticketId: string, revision = 1, { version = 3, assistantId = 'billing-bot' } = {}): DeadlineNews => ({
    type: 'ticket.deadlines-changed.v1',
    orgId: grace.orgId,
    ticketId,
    revision,
    version,
    at: '2026-01-05T10:00:00.000Z',
    deadlines: [],
    sight: { assistantId, assignee: null, createdBy: { type: 'agent', id: 'bot' } },
  });
  const told = (text: string) => [...text.matchAll(/"ticketId":"([^"]+)","version":(\d+),"type":"deadlines-changed"/g)].map(([, id, version]) => `${id} ${version}`);
  /** An administrator and a member. */
  const two = async () => {
    streams.recheckMs = 60_000; // they stay who they are
    caller = { principal: ada, channel: 'api' };
    const all = await listen();
    await eventually(() => all.text.includes('id: '));
    caller = { principal: grace, channel: 'api' };
    const some = await listen();
    await eventually(() => some.text.includes('id: '));
    return [all, some] as const;
  };

  it('of a ticket that left a sight before the stream began are not told there, however late they come', async () => {
    feed.tickets.set('gone', { version: 5, assistantId: 'tech-bot' });
    feed.tickets.set('there', { version: 3, assistantId: 'billing-bot' });
    const [all, some] = await two();
    streams.tellDeadlines([news('gone'), news('there'), news('deleted'), news('gone', 2), news('there', 2)]);
    await eventually(() => told(some.text).length === 2);
    expect([told(all.text), told(some.text)]).toEqual([['gone 3', 'there 3', 'deleted 3', 'gone 3', 'there 3'], ['there 3', 'there 3']]);
    expect(feed.looked).toEqual(['gone', 'there', 'deleted'].map((id) => `/v1/tickets/${id}`));
    streams.tellDeadlines([news('gone', 3), news('there', 3), news('there', 3)]);
    await eventually(() => told(some.text).length === 3);
    expect(feed.looked).toHaveLength(3);
  });

  it('are judged by what comes while the ticket is asked about', async () => {
    const [all, some] = await two();
    let answer = () => {};
    feed.looking = new Promise((resolve) => (answer = resolve));
    feed.tickets.set('t1', { version: 3, assistantId: 'billing-bot' });
    streams.tellDeadlines([news('t1')]);
    await eventually(() => feed.looked.length === 1);
    feed.add('left', 'tech-bot', 4);
    await eventually(() => numbers(all.text).length === 1);
    answer();
    feed.tickets.set('last', { version: 3, assistantId: 'billing-bot' });
    streams.tellDeadlines([news('last')]);
    await eventually(() => told(some.text).length > 0);
    expect(told(some.text)).toEqual(['last 3']);
  });

  it('are nobody’s but administrators’ while nobody can tell who sees the ticket', async () => {
    const [all, some] = await two();
    feed.isAway = true;
    streams.tellDeadlines([news('t1')]);
    await eventually(() => told(all.text).length === 1 && feed.looked.length === 1);
    feed.isAway = false;
    feed.tickets.set('t1', { version: 3, assistantId: 'billing-bot' });
    streams.tellDeadlines([news('t1', 2)]);
    await eventually(() => told(some.text).length === 1);
    expect([told(all.text).length, feed.looked.length]).toEqual([2, 2]);
  });
});
