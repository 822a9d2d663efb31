import { randomUUID } from 'node:crypto';
import type { Stack, TokenClaims } from './stack.js';

/** An answer, read to the end. */
export interface Answer<T = Record<string, any>> { // eslint-disable-line @typescript-eslint/no-explicit-any -- journeys look at what came, whatever it is
  status: number;
  headers: Headers;
  body: T;
  text: string;
}

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

  /** Sends to one gateway; `at` chooses which. */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, at = 0): Promise<Answer> {
    const response = await fetch(`${this.urls[at % this.urls.length]}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
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
    for (const end = Date.now() + 15_000; Date.now() < end; ) {
      const { status } = await this.get(`/tickets/${id}`, { 'x-min-version': String(version) });
      if (status !== 503) return;
    }
    throw new Error(`version ${version} of ticket ${id} was not shown within 15 s`);
  }
}

/** A client for a person of a stack's directory. */
export const clientOf = (stack: Stack, claims: TokenClaims) => new Client(stack.token(claims), stack.gatewayUrls);
