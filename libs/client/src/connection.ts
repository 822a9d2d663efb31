import { DeskstreamNoAnswer, DeskstreamProblem, type ProblemBody } from './errors.js';

/** Where the product is, and who asks. */
export interface ConnectionOptions {
  /** Address of the gateway without `/v1`, such as `https://desk.example.org`. */
  baseUrl: string;
  /** An API key (`dsk_…`) or a token of the sign-in, or what gives one; it is asked for every request, so it may renew what has run out. */
  token: string | (() => string | Promise<string>);
}

/** One request, ready to be sent any number of times. */
export interface Outgoing {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/v1` on, with its query. */
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** An answer that was read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** When a request is given up. */
export interface Ends {
  /** Without an answer in so many ms. */
  timeoutMs: number;
  /** At the caller's wish. */
  signal?: AbortSignal | undefined;
}

const quoted = 200;

/** Sends requests, each once. */
export class Connection {
  readonly #base: string;

  constructor(private readonly options: ConnectionOptions) {
    this.#base = new URL(options.baseUrl).href.replace(/\/+$/, '');
  }

  /** @throws DeskstreamProblem for an answer that is not a success; DeskstreamNoAnswer when none came in time; the reason of an aborted signal */
  async send(outgoing: Outgoing, { timeoutMs, signal }: Ends): Promise<Answer> {
    const both = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]);
    const response = await this.open(outgoing, both, signal);
    const text = await answered(response.text(), signal);
    const { status, headers } = response;
    if (text === '') return { status, headers, body: undefined };
    const body = json(text);
    if (body === undefined) throw new DeskstreamProblem({ detail: `The answer is not JSON: ${text.slice(0, quoted)}` }, placeOf(response));
    return { status, headers, body };
  }

  /** The successful answer, its body unread. `ends` breaks it off, and `wish` says whether that was the caller's wish. */
  async open({ method, path, headers, body }: Outgoing, ends: AbortSignal, wish?: AbortSignal): Promise<Response> {
    const { token } = this.options;
    const authorization = `Bearer ${typeof token === 'string' ? token : await token()}`;
    const sent = body !== undefined && { body: JSON.stringify(body) };
    // A request that cannot be made is the caller's mistake: it must not look like a connection that failed.
    const request = new Request(this.#base + path, {
      method,
      signal: ends,
      headers: { accept: 'application/json', ...(sent && { 'content-type': 'application/json' }), ...headers, authorization },
      ...sent,
    });
    const response = await answered(fetch(request), wish);
    if (!response.ok) throw await problemOf(response, wish);
    return response;
  }
}

/** What comes of it, or that nobody answered. */
export async function answered<T>(work: Promise<T>, wish?: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    wish?.throwIfAborted();
    throw new DeskstreamNoAnswer(`No answer: ${reasonOf(cause)}`, { cause });
  }
}

/** `fetch` says no more than that it failed; why is one deeper. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

async function problemOf(response: Response, wish?: AbortSignal): Promise<DeskstreamProblem> {
  const text = await answered(response.text(), wish);
  const body = json(text);
  const told = typeof body === 'object' && body !== null ? (body as ProblemBody) : { detail: text.slice(0, quoted) || response.statusText };
  return new DeskstreamProblem(told, placeOf(response));
}

const placeOf = ({ status, headers }: Response) => ({
  status,
  requestId: headers.get('x-request-id') ?? undefined,
  retryAfterMs: retryAfter(headers.get('retry-after')),
});

/** Seconds or a date (RFC 9110). */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // not ours: who asked for it tells so
  }
}
