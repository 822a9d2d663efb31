import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as it came. */
export interface Seen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: unknown;
  /** `performance.now()`. */
  at: number;
}

export type Scripted = (response: ServerResponse, request: Seen) => void;

/** Answers with JSON. */
export const json = (status: number, body: unknown = {}, headers: Record<string, string> = {}): Scripted => (response) =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

export const problem = (status: number, name: string, headers: Record<string, string> = {}) =>
  json(status, { type: `/problems/${name}`, title: name, status, detail: `It is ${name}.`, requestId: 'r-1' }, headers);

/** Breaks the connection without a word. */
export const broken: Scripted = (response) => void response.destroy();
/** Never answers. */
export const silent: Scripted = () => undefined;

/** An HTTP server that gives its answers in order, the last one for ever, and keeps what it was asked. */
export class ScriptedServer {
  readonly seen: Seen[] = [];
  private answers: Scripted[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      void text(request).then((body) => {
        const seen = { method: request.method!, path: request.url!, headers: request.headers, body: body === '' ? undefined : (JSON.parse(body) as unknown), at: performance.now() };
        this.seen.push(seen);
        (this.answers.length > 1 ? this.answers.shift()! : this.answers[0]!)(response, seen);
      });
    });
  }

  async listen() {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
  }

  get url() {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Forgets what was, and answers so from now on. */
  script(...answers: Scripted[]) {
    this.seen.length = 0;
    this.answers = answers;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** Everything that comes, to the end. */
export async function collected(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of items) all.push(item);
  return all;
}
