import { randomUUID } from 'node:crypto';
import { maxListDepth } from '#contracts';
import { eventually } from './eventually.js';
import type { Stack, TokenClaims } from './stack.js';

/** An answer, read to the end. */
export interface Answer<T = Record<string, any>> { // eslint-disable-line @typescript-eslint/no-explicit-any -- journeys look at what came, whatever it is
  status: number;
  headers: Headers;
  body: T;
  text: string;
}

/** A promise instead of an outcome: what a gateway answers when that takes longer than it waits. */
const isPromise = ({ status, headers }: Answer) => status === 202 && headers.get('location')?.startsWith('/v1/commands/') === true;

/** What is said on a slow machine by who cannot say more in time; a version that is not there yet is no such thing. */
const isBusy = ({ status, body }: Answer) => (status === 503 ? body['type'] !== '/problems/not-yet' : body['totalIsExact'] === false && body['total'] < maxListDepth);

/** Keys that were used, by whomever: who uses one again asks for a repeat. */
const usedKeys = new Set<string>();

/** Somebody who uses the public REST. */
export class Client {
  constructor(
    private readonly token: string,
    private readonly urls: readonly string[],
  ) {}

  get = (path: string, headers: Record<string, string> = {}) => this.send('GET', path, undefined, headers);
  post = (path: string, body?: unknown, headers: Record<string, string> = {}) => this.send('POST', path, body, headers);
  put = (path: string, body?: unknown, headers: Record<string, string> = {}) => this.send('PUT', path, body, headers);
  patch = (path: string, body?: unknown, headers: Record<string, string> = {}) => this.send('PATCH', path, body, headers);
  delete = (path: string, headers: Record<string, string> = {}) => this.send('DELETE', path, undefined, headers);

  /**
   * Sends to one gateway; `at` chooses which. Where it only promises an outcome, unless that was all it was asked for, or cannot say in time (a slow
   * machine), the request is repeated under its key until there is one; of a repeat that nobody else asked for nothing is to be seen. Who is to see
   * such answers asks by `ask`.
   */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, at = 0): Promise<Answer> {
    const isOpen = (answer: Answer) => isBusy(answer) || (headers['prefer'] === undefined && isPromise(answer));
    const keyed: Record<string, string> = method === 'GET' ? headers : { 'idempotency-key': randomUUID(), ...headers };
    const isRepeat = usedKeys.has(keyed['idempotency-key'] ?? '');
    const first = await this.ask(method, path, body, keyed, at);
    if (!isOpen(first)) return first;
    const answer = await untilSaid(() => this.ask(method, path, body, keyed, at), isOpen);
    return isRepeat ? answer : { ...answer, headers: new Headers([...answer.headers].filter(([name]) => name !== 'idempotency-replayed')) };
  }

  /** Sends once, whatever comes of it. */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, at = 0): Promise<Answer> {
    if (headers['idempotency-key'] !== undefined) usedKeys.add(headers['idempotency-key']);
    const response = await fetch(`${this.urls[at % this.urls.length]}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
  }

  /** A new API key with its secret. A repeat, which a slow machine may need, does not tell it: then the key is deleted, and another one is made. */
  async apiKey(fields: Record<string, unknown>): Promise<Answer['body']> {
    for (;;) {
      const { status, body, text } = await this.post('/api-keys', fields);
      if (status !== 201) throw new Error(text);
      if (body['secret'] !== undefined) return body;
      await this.delete(`/api-keys/${body['id']}`);
    }
  }

  /** A new ticket that reads already see. */
  async ticket(fields: Record<string, unknown> = {}): Promise<Answer['body']> {
    const { status, body, text } = await this.post('/tickets', { title: `Ticket ${randomUUID()}`, ...fields });
    if (status !== 201) throw new Error(`no ticket was made: ${status} ${text}`);
    await this.shown(body['id'] as string, body['version'] as number);
    return body;
  }

  /** Waits until reads show a ticket at a version or later. */
  async shown(id: string, version: number): Promise<void> {
    const isShown = async () => (await this.get(`/tickets/${id}`, { 'x-min-version': String(version) })).status !== 503;
    await eventually(isShown, 120_000, `version ${version} of ticket ${id} is shown`);
  }
}

/** Asks until there is an answer that says it. */
const untilSaid = (ask: () => Promise<Answer>, isOpen: (answer: Answer) => boolean) =>
  eventually(async () => {
    const answer = await ask();
    if (isOpen(answer)) throw new Error(`${answer.status} ${answer.text}`);
    return answer;
  }, 120_000);

/** A client for a person of a stack's directory. */
export const clientOf = (stack: Stack, claims: TokenClaims) => new Client(stack.token(claims), stack.gatewayUrls);
