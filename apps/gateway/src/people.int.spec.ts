import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { alwaysThere, type Availability, type DirectoryEntry } from '#contracts';
import { openDatabase, type Database } from '#persistence';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { Client, expectProblem } from '../testing/client.js';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { storeOf } from '../testing/stores.js';
import { signedIn } from './directory.policy.js';
import type { DirectoryStore } from './directory.store.js';

const under = (key: string) => ({ 'idempotency-key': key });
const org = `people-${randomUUID().slice(0, 8)}`;

let database: Database;
let store: DirectoryStore;
const gateways: TestGateway[] = [];
let ada: Client;
let elsewhere: Client;
let grace: Client;
let stranger: Client;

/** Somebody at a gateway, whose token says what is asked. */
const as = async (sub: string, claims: object = {}, at = 0) => new Client(gateways[at]!.url, await gateways[at]!.token({ claims: { sub, name: sub, email: `${sub}@example.org`, org, role: 'member', ...claims } }));

beforeAll(async () => {
  database = openDatabase({ uri: process.env['MONGODB_URI']!, database: `test_people_${randomUUID().slice(0, 8)}` });
  store = storeOf(database);
  await store.prepare();
  for (const _ of [1, 2]) gateways.push(await openGateway({ store: storeOf(database) }));
  [ada, elsewhere] = [await as('ada', { role: 'admin' }), await as('ada', { role: 'admin' }, 1)];
  [grace, stranger] = [await as('grace'), await as('ada', { org: `${org}-twin`, role: 'admin' })];
  for (const [one, id] of [[ada, 'ada'], [grace, 'grace'], [stranger, 'ada']] as const) await isListed(one, id);
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
  await database.db.dropDatabase();
  await database.close();
});

const put = (client: Client, path: string, body: object, headers: Record<string, string> = {}) => client.call(path, { method: 'PUT', body: JSON.stringify(body), headers });
const remove = (client: Client, path: string, headers: Record<string, string> = {}) => client.call(path, { method: 'DELETE', headers });
const items = async (client: Client, path: string) => ((await (await client.call(path)).json()) as { items: Record<string, unknown>[] }).items;
const ids = async (client: Client, path: string) => (await items(client, path)).map(({ id }) => id);
/** A request waits a second at most until its sender is put down. */
const isListed = (client: Client, id: string) => eventually(async () => (await ids(client, '/v1/members')).includes(id), `${id} is put down`);
const assistant = () => `bot-${randomUUID().slice(0, 8)}`;
const entry = (kind: DirectoryEntry['kind'], id: string) => store.find(`${org}/${kind}/${id}`);

/** A new member, who signed in a minute ago. */
async function joined(): Promise<string> {
  const id = `m-${randomUUID().slice(0, 8)}`;
  await store.edit({ orgId: org, kind: 'member', id }, signedIn({ orgId: org, id, name: id, email: 'm@example.org', role: 'member', issuedAt: Date.now() - 60_000, clientId: undefined }));
  return id;
}

describe('people', () => {
  it('find themselves among the members at their very first request, as their token names them', async () => {
    await eventually(async () => {
      const anew = `new-${randomUUID().slice(0, 8)}`;
      const eve = await as('eve', { name: 'Eve', role: 'admin', org: anew });
      expect(await items(eve, '/v1/members')).toEqual([{ id: 'eve', name: 'Eve', email: 'eve@example.org', role: 'admin' }]);
      expect(await items(eve, '/v1/assistants')).toEqual([]);
      expect(await store.find(`${anew}/member/eve`)).toMatchObject({ revision: 1, deleted: false });
    }, 'the store has somebody put down within the second for which a request waits');
  });

  it('are put down once, however often and wherever they come; what a sign-in says anew is the next revision', async () => {
    const mary = await Promise.all([as('mary'), as('mary', {}, 1)]);
    await Promise.all([...mary, ...mary].map((one) => one.call('/v1/members')));
    await eventually(async () => expect(await entry('member', 'mary')).toMatchObject({ revision: 1 }), 'she is put down');
    const renamed = await as('mary', { name: 'Mary Major', role: 'admin', iat: Math.floor(Date.now() / 1_000) + 1 }, 1);
    await renamed.call('/v1/members');
    await eventually(async () => expect(await entry('member', 'mary')).toMatchObject({ revision: 2, value: { name: 'Mary Major', role: 'admin' } }), 'her new name is put down');
    await (await as('mary', { iat: Math.floor(Date.now() / 1_000) - 60 })).call('/v1/members'); // an older token of hers, still good
    expect(await entry('member', 'mary')).toMatchObject({ revision: 2, value: { name: 'Mary Major' } });
  });

  let giveUp: () => void = () => undefined;
  it.each<[string, () => Promise<never>]>([
    ['hangs', () => new Promise((_, reject) => (giveUp = () => reject(new Error('it says nothing'))))],
    ['fails', () => Promise.reject(new Error('down'))],
  ])('are let in at once where the store %s, and put down once it works again', async (_, trouble) => {
    const own = storeOf(database);
    const edit = own.edit.bind(own);
    let isUp = false;
    own.edit = (...edited) => (isUp ? edit(...edited) : trouble());
    const gateway = await openGateway({ store: own });
    const sub = `late-${randomUUID().slice(0, 8)}`;
    const late = new Client(gateway.url, await gateway.token({ claims: { sub, name: 'Late', email: 'late@example.org', org, role: 'member' } }));
    expect(await (await late.call('/v1/me')).json()).toMatchObject({ id: sub });
    expect(await ids(late, '/v1/members')).not.toContain(sub);
    isUp = true;
    giveUp();
    await eventually(async () => expect(await entry('member', sub)).toMatchObject({ revision: 1, value: { name: 'Late' } }), 'they are put down');
    await gateway.stop();
  });

  it('of ids as long and odd as issuers may choose them can be spoken of', async () => {
    const sub = `${'ü'.repeat(240)}/|@ 😀`;
    const odd = await as(sub, { name: 'Odd', email: 'odd@example.org' });
    await isListed(odd, sub);
    const path = `/v1/members/${encodeURIComponent(sub)}`;
    expect(await (await odd.call(`${path}/availability`)).json()).toEqual(alwaysThere);
    expect((await remove(ada, path)).status).toBe(204);
    expect(await ids(ada, '/v1/members')).not.toContain(sub);
  });
});

describe('an assistant', () => {
  it('is made, changed, read and deleted, each with its revision', async () => {
    const id = assistant();
    const path = `/v1/assistants/${id}`;
    const made = await put(ada, path, { name: ' Bot ', memberIds: ['grace'] });
    expect([made.status, made.headers.get('etag'), await made.json()]).toEqual([201, '"1"', { id, name: 'Bot', memberIds: ['grace'] }]);
    expect(await items(ada, '/v1/assistants')).toContainEqual({ id, name: 'Bot', memberIds: ['grace'] });
    expect(await (await grace.call('/v1/me')).json()).toMatchObject({ assistantIds: [id] });
    const changed = await put(ada, path, { name: 'Bot', memberIds: [] });
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2"']);
    const same = await put(ada, path, { name: 'Bot', memberIds: [] });
    expect([same.status, same.headers.get('etag')]).toEqual([200, '"2"']);
    const read = await elsewhere.call(path);
    expect([read.headers.get('etag'), await read.json()]).toEqual(['"2"', { id, name: 'Bot', memberIds: [] }]);
    expect((await remove(ada, path)).status).toBe(204);
    await expectProblem(ada.call(path), 404, 'not-found');
    await expectProblem(remove(ada, path), 404, 'not-found');
    expect(await ids(ada, '/v1/assistants')).not.toContain(id);
    expect(await entry('assistant', id)).toMatchObject({ revision: 3, deleted: true });
    expect(await store.unpublished()).toContainEqual(await entry('assistant', id));
    expect((await put(ada, path, { name: 'Anew', memberIds: [] })).status).toBe(201);
    expect(await entry('assistant', id)).toMatchObject({ revision: 4, deleted: false });
  });

  it.each<[string, object, string, string]>([
    ['somebody who is not there', { memberIds: ['grace', 'nobody'] }, '/memberIds/1', 'unknown_member'],
    ['somebody twice', { memberIds: ['grace', 'grace'] }, '/memberIds/1', 'duplicate'],
    ['no name', { name: ' ' }, '/name', 'too_small'],
    ['an unknown field', { orgId: 'globex' }, '/orgId', 'unknown_field'],
  ])('with %s is refused', async (_, fields, pointer, code) => {
    const id = assistant();
    const { errors } = await expectProblem(put(ada, `/v1/assistants/${id}`, { name: 'Bot', memberIds: [], ...fields }), 422, 'validation-failed');
    expect(errors).toMatchObject([{ pointer, code }]);
    expect(await entry('assistant', id)).toBeNull();
  });

  it('of an id that topics and addresses cannot have is refused', async () => {
    for (const id of ['a%2Fb', 'x'.repeat(65), '-']) await expectProblem(put(ada, `/v1/assistants/${id}`, { name: 'Bot', memberIds: [] }), 400, 'malformed-request');
  });

  it('is written at the revision that was asked for only', async () => {
    const path = `/v1/assistants/${assistant()}`;
    await expectProblem(put(ada, path, { name: 'Bot', memberIds: [] }, { 'if-match': '"1"' }), 404, 'not-found');
    await put(ada, path, { name: 'Bot', memberIds: [] });
    await put(elsewhere, path, { name: 'Theirs', memberIds: [] }, { 'if-match': '"1"' });
    expect(await expectProblem(put(ada, path, { name: 'Mine', memberIds: [] }, { 'if-match': '"1"' }), 412, 'version-conflict')).toMatchObject({ current: 2 });
    await expectProblem(remove(ada, path, { 'if-match': '"1"' }), 412, 'version-conflict');
    expect((await remove(ada, path, { 'if-match': '"2"' })).status).toBe(204);
  });

  it('is made once by repeats under one key, which get the first answer whatever became of it', async () => {
    const [id, key] = [assistant(), under(randomUUID())];
    const path = `/v1/assistants/${id}`;
    const answers = await Promise.all([ada, elsewhere, ada, elsewhere].map((one) => put(one, path, { name: 'Bot', memberIds: [] }, key)));
    expect(answers.map(({ status, headers }) => [status, headers.get('etag')])).toEqual(Array(4).fill([201, '"1"']));
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
    await remove(ada, path);
    expect((await put(elsewhere, path, { name: 'Bot', memberIds: [] }, key)).status).toBe(201);
    expect(await entry('assistant', id)).toMatchObject({ revision: 2, deleted: true });
    await expectProblem(put(ada, path, { name: 'Other', memberIds: [] }, key), 422, 'idempotency-key-reused');
  });
});

describe('a member who is taken out', () => {
  it('is off their assistants and the list, and stays out until they sign in anew', async () => {
    const [left, id] = [await joined(), assistant()];
    await put(ada, `/v1/assistants/${id}`, { name: 'Bot', memberIds: ['grace', left] });
    expect((await remove(ada, `/v1/members/${left}`)).status).toBe(204);
    expect(await ids(ada, '/v1/members')).not.toContain(left);
    expect((await entry('assistant', id))!.value).toMatchObject({ memberIds: ['grace'] });
    await expectProblem(put(ada, `/v1/assistants/${id}`, { name: 'Bot', memberIds: [left] }), 422, 'validation-failed');
    expect(await ids(ada, '/v1/members')).not.toContain(left);
    const leftAt = Date.now();
    await eventually(() => Date.now() > leftAt + 1_000, 'another second has begun: tokens tell whole ones');
    await isListed(await as(left), left);
    expect(await entry('member', left)).toMatchObject({ revision: 3, deleted: false });
    expect(await (await (await as(left, {}, 1)).call('/v1/me')).json()).toMatchObject({ assistantIds: [] });
  });

  it('is let in by no token from before, at no gateway, 5 s later; nobody else loses theirs', async () => {
    const [left, other] = [await joined(), await joined()];
    const before = { iat: Math.floor(Date.now() / 1_000) - 30 };
    const tokens = [await as(left, before), await as(left, before, 1)];
    for (const client of tokens) expect((await client.call('/v1/me')).status).toBe(200);
    expect((await remove(ada, `/v1/members/${left}`)).status).toBe(204);
    const removedAt = Date.now();
    for (const client of tokens) {
      await eventually(async () => {
        const isLate = Date.now() - removedAt >= 5_000;
        const { status } = await client.call('/v1/tickets');
        if (isLate) expect(status).toBe(401);
        return status === 401;
      }, 'nobody is let in');
    }
    expect((await (await as(other, before)).call('/v1/me')).status).toBe(200);
    const stranger = await as(left, { ...before, org: `other-${left}` });
    expect((await stranger.call('/v1/me')).status).toBe(200);
  });

  it('is nobody’s business but their administrators’', async () => {
    const id = await joined();
    await expectProblem(remove(grace, `/v1/members/${id}`), 403, 'forbidden');
    await expectProblem(remove(stranger, `/v1/members/${id}`), 404, 'not-found');
    expect(await entry('member', id)).toMatchObject({ deleted: false });
  });

  it('leaves no trace on an assistant that they are put on at the same time', async () => {
    for (let n = 0; n < 10; n += 1) {
      const [left, id] = [await joined(), assistant()];
      await Promise.all([put(ada, `/v1/assistants/${id}`, { name: 'Bot', memberIds: [left] }), remove(elsewhere, `/v1/members/${left}`)]);
      expect((await entry('assistant', id))?.value ?? { memberIds: [] }).toMatchObject({ memberIds: [] });
    }
  });
});

describe('when somebody works', () => {
  const hours: Availability = { timeZone: 'Europe/Berlin', workingHours: [{ days: ['mon', 'fri'], from: '09:00', to: '17:30' }], away: { until: '2030-01-01T00:00:00.000Z' }, capacity: 7 };
  const path = '/v1/members/grace/availability';

  it('is always, in any number, until it is said', async () => {
    const id = await joined();
    const answer = await ada.call(`/v1/members/${id}/availability`);
    expect([answer.status, answer.headers.get('etag'), await answer.json()]).toEqual([200, '"1"', alwaysThere]);
  });

  it('is said by administrators, and stands in the directory, not among the members', async () => {
    const { revision } = (await entry('member', 'grace'))!;
    const answer = await put(ada, path, { ...hours, away: { until: '2030-01-01T01:00:00+01:00' } });
    expect([answer.status, answer.headers.get('etag'), await answer.json()]).toEqual([200, `"${revision + 1}"`, hours]);
    expect(await (await grace.call(path)).json()).toEqual(hours);
    expect(await entry('member', 'grace')).toMatchObject({ revision: revision + 1, value: { name: 'grace', availability: hours } });
    expect((await items(ada, '/v1/members')).find(({ id }) => id === 'grace')).toEqual({ id: 'grace', name: 'grace', email: 'grace@example.org', role: 'member' });
  });

  it('is said by people of themselves, but for how much they take', async () => {
    await put(ada, path, hours);
    expect((await put(grace, path, { ...hours, away: null })).status).toBe(200);
    expect(await expectProblem(put(grace, path, { ...hours, capacity: 8 }), 403, 'forbidden')).toMatchObject({ missing: 'role admin' });
    for (const other of ['ada', 'nobody']) {
      await expectProblem(grace.call(`/v1/members/${other}/availability`), 403, 'forbidden');
      await expectProblem(put(grace, `/v1/members/${other}/availability`, hours), 403, 'forbidden');
    }
    expect((await entry('member', 'grace'))!.value).toMatchObject({ availability: { ...hours, away: null } });
  });

  it.each<[string, object, string]>([
    ['a time zone that there is not', { timeZone: 'Mars/Olympus' }, '/timeZone'],
    ['hours that end before they begin', { workingHours: [{ days: ['mon'], from: '17:00', to: '09:00' }] }, '/workingHours/0/to'],
    ['a capacity below nothing', { capacity: -1 }, '/capacity'],
    ['a moment that is none', { away: { until: 'tomorrow' } }, '/away/until'],
    ['an unknown field', { shift: 'late' }, '/shift'],
  ])('is refused with %s', async (_, fields, pointer) => {
    expect((await expectProblem(put(ada, path, { ...hours, ...fields }), 422, 'validation-failed')).errors).toMatchObject([{ pointer }]);
  });

  it('of nobody cannot be said or asked, nor of another organisation’s', async () => {
    for (const one of [ada, stranger]) {
      const nobody = `/v1/members/${one === ada ? 'nobody' : 'grace'}/availability`;
      await expectProblem(one.call(nobody), 404, 'not-found');
      await expectProblem(put(one, nobody, hours), 404, 'not-found');
    }
  });

  it('gets its first answer again under its key, and is refused at another revision', async () => {
    const key = under(randomUUID());
    const first = await put(ada, path, hours, key);
    await put(ada, path, { ...hours, capacity: 1 });
    const again = await put(elsewhere, path, hours, key);
    expect([again.status, again.headers.get('etag'), again.headers.get('idempotency-replayed'), await again.json()]).toEqual([200, first.headers.get('etag'), 'true', hours]);
    await expectProblem(put(ada, path, hours, { 'if-match': first.headers.get('etag')! }), 412, 'version-conflict');
    expect(await (await grace.call(path)).json()).toMatchObject({ capacity: 1 });
  });

  it('and whose assistants are is not said by members', async () => {
    const id = assistant();
    for (const answer of [put(grace, `/v1/assistants/${id}`, { name: 'Bot', memberIds: [] }), remove(grace, `/v1/assistants/${id}`)]) await expectProblem(answer, 403, 'forbidden');
  });
});
