import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { register } from 'prom-client';
import type { Health } from './health.js';

/** Serves health answers and metrics on a port of its own, so that neither is ever public. Resolves when it listens. */
export async function serveManagement(health: Health, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => void reply(health, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}

async function reply(health: Health, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [status, type, body] = await answer(health, request.url ?? '/').catch(() => [500, 'text/plain', 'internal error\n'] as const);
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}

async function answer(health: Health, url: string): Promise<[number, string, string]> {
  if (url === '/metrics') return [200, register.contentType, await register.metrics()];
  if (url !== '/health/live' && url !== '/health/ready') return [404, 'text/plain', 'There is /health/live, /health/ready and /metrics.\n'];
  const result = url === '/health/live' ? health.live() : await health.ready();
  return [result.status === 'up' ? 200 : 503, 'application/json', JSON.stringify(result)];
}
