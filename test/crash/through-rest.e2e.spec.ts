import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { abortAt, projectionPoints, undisturbed } from '../support/abort-plan.js';
import { clientOf, type Answer, type Client } from '../support/client.js';
import { wrongFeed } from '../support/feed.js';
import { forgetService } from '../support/group-members.js';
import { mixedLoad } from '../support/mixed-load.js';
import { organisation } from '../support/organisation.js';
import { wrongViews } from '../support/seen-views.js';
import { anyServers, WritePath } from '../support/write-path.js';

interface Request {
  path: string;
  body: unknown;
  key: string;
}

const org = `crash-${randomUUID().slice(0, 8)}`;

describe('services killed while people work', () => {
  let servers: Awaited<ReturnType<typeof anyServers>>;
  let path: WritePath;
  let ada: Client;

  beforeAll(async () => {
    servers = await anyServers();
    path = await WritePath.open(servers, { directory: { organisations: [organisation(org)] } });
    ada = clientOf(path.stack, { org, sub: 'ada' });
  });

  afterAll(async () => {
    await path.close();
    await servers.stop();
  });

  /** Sends until there is an outcome: again after a broken connection, after "not now" and after "still pending", always under the same key. */
  async function outcomeOf({ path: where, body, key }: Request): Promise<Answer> {
    return eventually(async () => {
      const answer = await ada.ask('POST', where, body, { 'idempotency-key': key });
      return answer.status !== 202 && answer.status !== 503 && answer;
    }, 120_000);
  }

  it('gateway: each request that is repeated under its key has one outcome, told alike before and after', async () => {
    const [gateway] = path.stack.apps.gateway;
    const tickets = await Promise.all(Array.from({ length: 8 }, async () => (await ada.ticket())['id'] as string));
    const requests = requestsOn(tickets);
    const first = new Map<Request, Answer>();
    const left = [...requests];
    /** Killed as an answer comes, while the other workers' requests are in hand. */
    const deaths = [requests.length / 4, requests.length / 2];
    const worker = async () => {
      for (let request = left.shift(); request !== undefined; request = left.shift()) {
        first.set(request, await outcomeOf(request));
        if (!deaths.includes(first.size)) continue;
        await gateway!.kill();
        gateway!.start();
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));

    const again = await Promise.all(requests.map(outcomeOf));
    expect(again.map(told)).toEqual(requests.map((request) => told(first.get(request)!)));
    expect(new Set(again.map(({ headers }) => headers.get('idempotency-replayed')))).toEqual(new Set(['true']));
    for (const id of tickets) {
      const applied = requests.filter((request) => request.path.includes(id) && first.get(request)!.status < 300).length;
      await ada.shown(id, 1 + applied);
      expect((await ada.get(`/tickets/${id}`)).body['version']).toBe(1 + applied);
    }
    const created = requests.filter((request) => request.path === '/tickets').map((request) => first.get(request)!.body['id'] as string);
    await Promise.all(created.map((id) => ada.shown(id, 1)));
    expect((await ada.get('/tickets')).body['total']).toBe(tickets.length + new Set(created).size);
    expect(new Set(created).size).toBe(requests.length / 4);
  });

  it('query-search: views and timelines are what the events say, nothing missing, nothing twice', async () => {
    const [query] = path.stack.apps['query-search'];
    const before = (await ada.get('/tickets')).body['total'] as number;
    const load = mixedLoad(`views ${Date.now()}`, 24, org);
    const ids = [...new Set(load.map(({ ticketId }) => ticketId))];
    const sending = path.client.stream(load, 20);
    await eventually(async () => (await path.seen(load)).events > 0);
    await query!.kill();
    for (const point of projectionPoints) {
      await forgetService(servers.kafkaBrokers, 'query-search');
      query!.start(abortAt({ point }));
      await eventually(() => !query!.isRunning);
    }
    await query!.restart(undisturbed);
    await sending;
    await path.settled(load);
    expect(await path.verdict(load)).toEqual([]);
    expect(await wrongViews(ada, path.tail, ids)).toEqual([]);
    expect(await wrongFeed(ada, path.tail, org)).toEqual([]);
    const list = (await ada.get('/tickets?pageSize=100')).body as { items: { id: string }[]; total: number };
    expect(list.total).toBe(before + ids.length);
    expect(new Set(list.items.map(({ id }) => id)).size).toBe(list.total);
    // answers are kept by a consumer of their own, which gives way to the views
    const answered = async ({ commandId }: (typeof load)[number]) => (await ada.get(`/commands/${commandId}`)).status === 200;
    await Promise.all(load.slice(0, 40).map((command) => eventually(() => answered(command))));
  });

  it('ticket-command: the next request has its outcome, and not only a promise, as soon as the group has noticed', async () => {
    const [command] = path.stack.apps['ticket-command'];
    await ada.ticket();
    await command!.kill();
    const killedAt = Date.now();
    const request = { path: '/tickets', body: { title: 'first after the kill' }, key: randomUUID() };
    const promised = await eventually(async () => {
      const answer = await ada.ask('POST', request.path, request.body, { 'idempotency-key': request.key });
      return answer.status !== 503 && answer; // the broker takes it, only late on a slow machine
    });
    expect(promised.status).toBe(202);
    expect((await ada.get(promised.headers.get('location')!.replace('/v1', ''))).body['state']).toBe('pending');
    command!.start();
    const { status, body } = await outcomeOf(request);
    process.stdout.write(`the first outcome after a SIGKILL of ticket-command came within ${((Date.now() - killedAt) / 1_000).toFixed(1)} s\n`);
    expect([status, body['id']]).toEqual([201, promised.body['ticketId']]);
  });
});

/** Creates and, on each ticket, what agrees with each other and what does not. */
function requestsOn(tickets: readonly string[]): Request[] {
  const requests = Array.from({ length: 3 }, () => tickets).flat().flatMap((id, index) => [
    { path: '/tickets', body: { title: `While gateways die ${index}` } },
    { path: `/tickets/${id}/comments`, body: { body: `Comment ${index}` } },
    { path: `/tickets/${id}/transitions`, body: { to: index < tickets.length ? 'pending' : 'resolved' } },
    { path: `/tickets/${id}/transitions`, body: { to: 'closed' } },
  ]);
  return requests.map((request) => ({ ...request, key: randomUUID() }));
}

/** An answer without what belongs to one request only. */
const told = ({ status, headers, body: { requestId: _requestId, ...body } }: Answer) => ({ status, body, location: headers.get('location'), etag: headers.get('etag') });
