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
/** A wait is counted in so many parts. */
const parts = 4;

/** Sends requests, each once. */
export class Connection {
  readonly #base: string;

  constructor(private readonly options: ConnectionOptions) {
    this.#base = new URL(options.baseUrl).href.replace(/\/+$/, '');
  }

  /** @throws DeskstreamProblem for an answer that is not a success; DeskstreamNoAnswer when none came in time; the reason of an aborted signal */
  async send(outgoing: Outgoing, { timeoutMs, signal }: Ends): Promise<Answer> {
    const end = new Ending(signal);
    const read = async () => {
      const response = await this.open(outgoing, end);
      return { response, text: await end.answered(response.text()) };
    };
    const { response, text } = await end.within(timeoutMs, read());
    const { status, headers } = response;
    if (text === '') return { status, headers, body: undefined };
    const body = json(text);
    if (body === undefined) throw new DeskstreamProblem({ detail: `The answer is not JSON: ${text.slice(0, quoted)}` }, placeOf(response));
    return { status, headers, body };
  }

  /** The successful answer, its body unread. */
  async open({ method, path, headers, body }: Outgoing, end: Ending): Promise<Response> {
    const { token } = this.options;
    const authorization = `Bearer ${typeof token === 'string' ? token : await token()}`;
    const sent = body !== undefined && { body: JSON.stringify(body) };
    // Headers that cannot be sent are the caller's mistake: they must not look like a connection that failed.
    const told = new Headers({ accept: 'application/json', ...(sent && { 'content-type': 'application/json' }), ...headers, authorization });
    // No `Request` in between: Node forgets the signal of one as soon as garbage is collected, and the connection never ends.
    const response = await end.answered(fetch(this.#base + path, { method, headers: told, signal: end.signal, ...sent }));
    if (!response.ok) throw problemOf(response, await end.answered(response.text()));
    return response;
  }
}

/** How one connection ends: at the wish of the caller, or when it takes too long. */
export class Ending {
  readonly signal: AbortSignal;
  readonly #own = new AbortController();

  constructor(private readonly wish?: AbortSignal) {
    this.signal = wish ? AbortSignal.any([this.#own.signal, wish]) : this.#own.signal;
  }

  /**
   * What comes of it; it is broken off after so many ms. They are counted in parts: while this process stood still (asleep, stopped, a machine that is busy with others)
   * it could not have heard anything, so however long that was, it counts as one.
   */
  within<T>(ms: number, work: Promise<T>): Promise<T> {
    let left = parts;
    const timer = setInterval(() => --left === 0 && this.now(`nothing came for ${ms} ms`), ms / parts);
    return work.finally(() => clearInterval(timer));
  }

  /** What comes of it. @throws the reason of the caller's wish; DeskstreamNoAnswer when the connection failed or took too long */
  async answered<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      this.wish?.throwIfAborted();
      throw new DeskstreamNoAnswer(`No answer: ${reasonOf(cause)}`, { cause });
    }
  }

  now(why = 'it is over') {
    this.#own.abort(new Error(why));
  }
}

/** `fetch` says no more than that it failed; why is one deeper. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function problemOf(response: Response, text: string): DeskstreamProblem {
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
