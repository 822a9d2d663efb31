import { expect } from '@jest/globals';
import type { RawAnswer } from './raw.js';

interface Call {
  method?: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
}

/** Somebody with a token at the public door. */
export class Client {
  constructor(
    private readonly url: string,
    private readonly bearer: string,
  ) {}

  /** A request; a body comes as JSON unless told otherwise. */
  call(path: string, { method = 'GET', body, headers = {} }: Call = {}): Promise<Response> {
    return fetch(this.url + path, {
      method,
      ...(body !== undefined && { body }),
      headers: { authorization: `Bearer ${this.bearer}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    });
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.call(path, { method: 'POST', body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body), headers });
  }

  /** Headers of a request that is written by hand. */
  headers(headers: Record<string, string | number> = {}): Record<string, string | number> {
    return { Authorization: `Bearer ${this.bearer}`, ...headers };
  }

  jsonHeaders(length: number): Record<string, string | number> {
    return this.headers({ 'Content-Type': 'application/json', 'Content-Length': length });
  }
}

/** The problem of an answer, once it is certain that it is a whole one of this status and name. */
export async function expectProblem(answering: Response | Promise<Response>, status: number, name: string) {
  const answer = await answering;
  const body = (await answer.json()) as { type: string; status: number; instance: string; requestId: string; errors?: { pointer: string; code: string }[] };
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status: answer.status, requestId: answer.headers.get('x-request-id') });
  expect(Object.keys(body)).toEqual(expect.arrayContaining(['type', 'title', 'status', 'detail', 'instance', 'requestId']));
  expect([body.status, body.type]).toEqual([status, `/problems/${name}`]);
  return body;
}

export function expectRawProblem({ status, headers, body }: RawAnswer, expected: number, name: string): void {
  expect(status).toBe(expected);
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = JSON.parse(body) as { type: string; requestId: string };
  expect(problem.type).toBe(`/problems/${name}`);
  expect(headers['x-request-id']).toBe(problem.requestId);
}
