import { readFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DeadLetterReason, messageValue, problems } from '#contracts';
import { expectProblem, expectRawProblem } from '../testing/client.js';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { head, raw } from '../testing/raw.js';
import { controllers, routes } from '../reference/routes.js';
import { ResultsConsumer } from './results.consumer.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openGateway();
});
afterAll(() => gateway.stop());

const get = (path: string, headers: Record<string, string> = {}) => fetch(gateway.url + path, { headers });
const file = (path: string) => readFileSync(`docs/${path}`, 'utf8');
const pages = ['/docs', '/docs/topics', '/docs/problems'];

/** An answer as it is on the wire; `fetch` unpacks. */
const fetched = (path: string, headers: Record<string, string>) =>
  new Promise<{ headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    request(gateway.url + path, { headers }, (answer) => void buffer(answer).then((body) => resolve({ headers: answer.headers, body }), reject)).on('error', reject).end();
  });

/** What the router was given, as documents write it. */
async function registered(): Promise<string[]> {
  const doors = controllers.filter((controller) => controller !== ResultsConsumer);
  const module = await Test.createTestingModule({ controllers: doors }).useMocker(() => ({})).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  const found: string[] = [];
  app.getHttpAdapter().getInstance().addHook('onRoute', ({ method, url }) => {
    found.push(...[method].flat().map((one) => `${one.toLowerCase()} ${url.replace(/:(\w+)/g, '{$1}')}`));
  });
  await app.init();
  await app.close();
  return found.filter((route) => !/^(head|options) |^\w+ \/(docs|problems)(\/|$)/.test(route));
}

describe('the OpenAPI document', () => {
  it('has every route that there is, and no other', async () => {
    const { paths } = JSON.parse(file('openapi.json')) as { paths: Record<string, object> };
    const told = Object.entries(paths).flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method} ${path}`));
    const there = await registered();
    expect(there.length).toBeGreaterThan(25);
    expect(told.sort()).toEqual(there.sort());
    expect(routes().map(({ method, path }) => `${method} ${path}`).sort()).toEqual(there.sort());
  });

  it('asks nobody for a body that may be empty', () => {
    const posts = routes().flatMap(({ method, path, body }) => (method === 'post' && body?.safeParse({}).success ? [{ path, body }] : []));
    expect(posts.filter(({ body }) => !body.safeParse(undefined).success).map(({ path }) => path)).toEqual([]);
    const { paths } = JSON.parse(file('openapi.json')) as { paths: Record<string, { post: { requestBody?: { required: boolean } } }> };
    expect(posts.filter(({ path }) => paths[path]!.post.requestBody?.required).map(({ path }) => path)).toEqual([]);
    expect(paths['/v1/webhooks/{id}/secrets']!.post.requestBody).toMatchObject({ required: false });
  });
});

describe('published documents', () => {
  it.each(['openapi.json', 'asyncapi.json'])('%s is there for everybody', async (name) => {
    const answer = await get(`/v1/${name}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(await answer.text()).toBe(file(name));
  });

  it.each([
    ['gzip', true],
    ['br, GZIP ; q=0.5', true],
    ['*', true],
    ['br', false],
    ['gzip;q=0', false],
    ['gzip; q=0.0, br', false],
    ['identity', false],
  ])('are packed for who takes them packed, and for nobody else: %s', async (coding, isPacked) => {
    const { headers, body } = await fetched('/v1/openapi.json', { 'accept-encoding': coding });
    expect([headers['content-encoding'], headers['vary']]).toEqual([isPacked ? 'gzip' : undefined, 'accept-encoding']);
    expect((isPacked ? gunzipSync(body) : body).toString()).toBe(file('openapi.json'));
  });

  it('are not sent again to who has them', async () => {
    const etag = (await get('/v1/openapi.json')).headers.get('etag')!;
    for (const tags of [etag, `"other", ${etag}`, etag.slice(2), '*']) {
      const answer = await get('/v1/openapi.json', { 'if-none-match': tags });
      expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([304, etag, '']);
    }
    expect((await get('/v1/asyncapi.json', { 'if-none-match': etag })).status).toBe(200);
  });

  it('may be kept for some minutes', async () => expect((await get('/v1/openapi.json')).headers.get('cache-control')).toBe('public, max-age=300'));

  it('has the schema of every message under the address that it names', async () => {
    for (const type of Object.keys(messageValue)) {
      const answer = await get(`/schemas/${type}.json`);
      expect(await answer.json()).toMatchObject({ $id: `/schemas/${type}.json`, title: type });
    }
  });

  it.each(['/schemas/nope.json', '/docs/assets/nope.js', '/docs/assets/..%2findex.html', '/schemas/..%2fopenapi.json'])('has nothing at %s', async (path) => {
    expectRawProblem(await raw(gateway.port, [head('GET', path, {})]), 400, 'malformed-request');
  });

  it('takes nothing but GET', async () => expectProblem(fetch(`${gateway.url}/v1/openapi.json`, { method: 'POST' }), 405, 'method-not-allowed'));
});

describe('the reference', () => {
  it.each(pages)('%s takes all that it needs from here: by its policy, and by what it says', async (page) => {
    const answer = await get(page);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = answer.headers.get('content-security-policy')!.split('; ');
    expect(policy).toEqual(["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]);
    const html = await answer.text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
    const needed = [...html.matchAll(/ (?:src|href)="(?!data:|#)([^"]*)"/g)].map(([, url]) => url!);
    expect(needed.length).toBeGreaterThan(3);
    for (const url of needed) expect([url, (await get(url)).status]).toEqual([url, 200]);
  });

  it.each(pages)('%s is led to with a slash behind it', async (page) => {
    const answer = await raw(gateway.port, [head('GET', `${page}/`, {})]);
    expect([answer.status, answer.headers['location']]).toEqual([308, page]);
    const wrong = await raw(gateway.port, [head('POST', `${page}/`, {})]);
    expectRawProblem(wrong, 405, 'method-not-allowed');
    expectRawProblem(await raw(gateway.port, [head('GET', `${page}//`, {})]), 404, 'not-found');
  });

  it('says what each problem means where its type leads', async () => {
    const page = await (await get('/docs/problems')).text();
    for (const name of [...Object.keys(problems), ...DeadLetterReason.options]) {
      const answer = await fetch(`${gateway.url}/problems/${name}`, { redirect: 'manual' });
      expect([name, answer.status, answer.headers.get('location')]).toEqual([name, 302, `/docs/problems#${name}`]);
      expect(page).toContain(`<h2 id="${name}">`);
    }
    expectRawProblem(await raw(gateway.port, [head('GET', '/problems/nope', {})]), 400, 'malformed-request');
  });

  it('styles load nothing', async () => {
    for (const name of ['swagger-ui.css', 'reference.css']) {
      const css = await (await get(`/docs/assets/${name}`)).text();
      expect([...css.matchAll(/url\((?!['"]?(?:data:|#))[^)]*\)|@import/g)].map(([found]) => found)).toEqual([]);
    }
  });
});
