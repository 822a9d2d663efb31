import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Pool, type Dispatcher } from 'undici';
import type { Principal } from '#contracts';
import { Assertions } from '#internal';
import { unavailable } from './unavailable.js';
import { wholeAnswer } from './whole-answer.js';

/** An answer of query-search, to be passed on as it is. */
export interface QueryAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** An answer that is passed on as it comes. Who does not read it to its end destroys it. */
export interface QueryStream extends Omit<QueryAnswer, 'body'> {
  body: Readable;
}

export interface Query {
  principal: Principal;
  /** Path and query string as the public door names them. */
  path: string;
  requestId: string;
  minVersion?: string | undefined;
}

const passedOn = ['content-type', 'content-disposition', 'etag', 'link', 'retry-after', 'x-projection-lag-ms'] as const;
/** How long an answer may take, ms. */
const patienceMs = 3_000;
/** How long the next part of a long answer may take, ms. A caller who does not take the last one is waited for. */
const streamPatienceMs = 10_000;
const connections = 64;

/** Asks query-search on a principal's behalf. */
export class Queries {
  private readonly pool: Pool;
  /** Who waits for news keeps a connection: those of reads are not for them. */
  private readonly longAsking: Pool;
  private readonly assertions: Assertions;

  constructor(address: string, internalKey: string, timeoutMs = patienceMs) {
    this.assertions = new Assertions(internalKey, 'query-search');
    const connect = { timeout: 1_000 };
    const { origin } = new URL(address);
    this.pool = new Pool(origin, { connections, connect, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
    this.longAsking = new Pool(origin, { connect, bodyTimeout: timeoutMs });
  }

  /** The answer, whatever its status. @throws ProblemError 503 when query-search does not give one */
  ask(query: Query): Promise<QueryAnswer> {
    return this.trusted(query, async (options) => {
      const { statusCode: status, headers, body } = await wholeAnswer(this.pool, options);
      return { status, headers: told(headers), body };
    });
  }

  /** The answer while it comes, whatever its status; it ends with an error where query-search does. @throws ProblemError as `ask` */
  stream(query: Query): Promise<QueryStream> {
    return this.trusted(query, async (options) => {
      const { statusCode: status, headers, body } = await this.pool.request({ ...options, headersTimeout: streamPatienceMs, bodyTimeout: streamPatienceMs });
      // Whoever passes it on listens as well; before that, nobody else would.
      body.on('error', () => undefined);
      return { status, headers: told(headers), body };
    });
  }

  /** Events behind a place of a feed, waited for where `waitMs` says so: status and what was told. @throws ProblemError as `ask` */
  async follow(principal: Principal, query: { after?: string; limit: number; waitMs: number; isRecent?: true }, signal: AbortSignal): Promise<{ status: number; body: unknown }> {
    const asked = new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]));
    return this.trusted({ principal, path: `/internal/feed?${asked}`, requestId: randomUUID() }, async (options) => {
      const headersTimeout = query.waitMs + patienceMs;
      const { statusCode, body } = await this.longAsking.request({ ...options, signal, headersTimeout });
      return { status: statusCode, body: await body.json() };
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.close(), this.longAsking.destroy()]);
  }

  private async trusted<T extends { status: number }>(query: Query, request: (options: Dispatcher.RequestOptions) => Promise<T>): Promise<T> {
    const authorization = `Bearer ${await this.assertions.for(query.principal)}`;
    const headers: Record<string, string> = { authorization, 'x-request-id': query.requestId, accept: 'application/json' };
    if (query.minVersion !== undefined) headers['x-min-version'] = query.minVersion;
    const answer = await again(() => request({ path: query.path, method: 'GET', headers })).catch(cannotRead);
    // What query-search refuses of us is not the caller's doing.
    if (answer.status === 401) throw notRead(new Error('query-search does not take our assertion'));
    return answer;
  }
}

/** What is passed on of an answer's headers. */
function told(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of passedOn) if (typeof headers[name] === 'string') found[name] = headers[name];
  return found;
}

/** A kept connection that the other side closed just now: what changes nothing when it comes twice may be asked again. */
const isStale = (error: unknown) => ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes((error as { code?: string }).code ?? '');

/** Asks again once where the connection was stale. */
export async function again<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!isStale(error)) throw error;
    return request();
  }
}

function cannotRead(error: unknown): never {
  throw notRead(error);
}

const notRead = (cause: unknown) => unavailable('Reading is not possible right now.', cause);
