import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { DirectorySeed } from '#contracts';
import { freePort, temporaryFolder } from '#servers';
import { keepSigner, signerFile } from '../issuer/signer.js';
import { demoDirectory } from '../places.js';
import { makeDemoTickets } from './demo-tickets.js';

interface Call {
  path: string;
  key: string;
  who: string;
  body: Record<string, unknown>;
}

let dataDir: string;
let gateway: Server;
let url: string;
let calls: Call[] = [];
let status: number;

beforeAll(async () => {
  dataDir = temporaryFolder('demo');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  keepSigner(signerFile(dataDir), url);
  gateway = createServer((request, response) => {
    void json(request).then((body) => {
      const { org, sub } = decodeJwt(request.headers.authorization!.slice('Bearer '.length));
      calls.push({ path: request.url!, key: String(request.headers['idempotency-key']), who: `${String(org)}/${String(sub)}`, body: body as Call['body'] });
      const ticketId = `t${calls.length}`;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 202 ? { id: 'command', state: 'pending', ticketId } : { id: ticketId, detail: 'no such assistant' }));
    });
  });
  await once(gateway.listen(port, '127.0.0.1'), 'listening');
});
beforeEach(() => {
  calls = [];
  status = 201;
});
afterAll(() => {
  gateway.closeAllConnections();
  gateway.close();
  rmSync(dataDir, { recursive: true });
});

describe('demo tickets', () => {
  it('are made by demo people of both organisations, each for assistants of their own', async () => {
    await makeDemoTickets(url, dataDir);
    const { organisations } = DirectorySeed.parse(JSON.parse(readFileSync(demoDirectory, 'utf8')));
    expect(new Set(calls.map(({ who }) => who))).toEqual(new Set(['acme/ada', 'acme/grace', 'acme/linus', 'globex/hank']));
    for (const { who, body } of calls.filter(({ path }) => path === '/v1/tickets')) {
      const [org, sub] = who.split('/');
      const { members, assistants } = organisations.find(({ id }) => id === org)!;
      const isAdmin = members.find(({ id }) => id === sub)!.role === 'admin';
      const own = assistants.filter(({ memberIds }) => isAdmin || memberIds.includes(sub!)).map(({ id }) => id);
      expect([undefined, ...own]).toContain(body['assistantId']);
    }
  });

  it('have one idempotency key for each request, the same ones at every start', async () => {
    await makeDemoTickets(url, dataDir);
    const first = calls.map(({ key }) => key);
    expect(new Set(first).size).toBe(first.length);
    calls = [];
    await makeDemoTickets(url, dataDir);
    expect(calls.map(({ key }) => key)).toEqual(first);
  });

  it('go on with a ticket whose outcome is not known yet', async () => {
    status = 202;
    await makeDemoTickets(url, dataDir);
    expect(calls[1]!.path).toBe('/v1/tickets/t1/take');
  });

  it('that are refused are told with the reason', async () => {
    status = 422;
    await expect(makeDemoTickets(url, dataDir)).rejects.toThrow('/v1/tickets answered 422 no such assistant');
  });
});
