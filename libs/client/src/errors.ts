import type { ProblemName, ValidationError } from './types.js';

/** RFC 9457, as far as it is gone by. */
export interface ProblemBody {
  type?: string;
  title?: string;
  detail?: string;
  requestId?: string;
  errors?: ValidationError[];
  /** Members of one problem's own, such as `allowed` or `current`. */
  [member: string]: unknown;
}

/** Where a problem was met, and what else the answer told of it. */
export interface ProblemPlace {
  status: number;
  requestId?: string | undefined;
  /** What `Retry-After` asks for, ms. */
  retryAfterMs?: number | undefined;
}

/** The product's no, or its fault: an answer that is not the wanted one. */
export class DeskstreamProblem extends Error {
  override readonly name = 'DeskstreamProblem';
  /** What programs go by, such as `invalid-transition`; `about:blank` for an answer that is no problem of ours, such as a proxy's. */
  readonly type: ProblemName | (string & {});
  /** HTTP status. */
  readonly status: number;
  /** What was wrong this time, for people. */
  readonly detail: string;
  /** What is wrong with the request, by JSON pointer or `?name`; empty but for `validation-failed`. */
  readonly errors: readonly ValidationError[];
  /** Names the request in the product's logs. */
  readonly requestId: string | undefined;
  /** The whole problem as it was told, with members of its own such as `from`, `to` and `allowed`. */
  readonly body: Readonly<ProblemBody>;
  /** How long the product asks to wait before another try, ms. */
  readonly retryAfterMs: number | undefined;

  constructor(body: ProblemBody, { status, requestId, retryAfterMs }: ProblemPlace) {
    const type = (body.type ?? 'about:blank').replace(/^\/problems\//, '');
    const detail = body.detail ?? body.title ?? `Status ${status}`;
    super(`${type} (${status}): ${detail}`);
    this.type = type;
    this.status = status;
    this.detail = detail;
    this.errors = body.errors ?? [];
    this.requestId = body.requestId ?? requestId;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What can be gone by when nobody answered. */
export interface Unanswered {
  cause?: unknown;
  /** Repeats the write safely: give it as `idempotencyKey`. */
  idempotencyKey?: string | undefined;
  /** Of a write that the product took and did not decide in time: ask `commands.get`. */
  commandId?: string | undefined;
}

/** No answer came, or no outcome of a write, in the time that the call had. Whether a write happened is not known. */
export class DeskstreamNoAnswer extends Error {
  override readonly name = 'DeskstreamNoAnswer';
  readonly idempotencyKey: string | undefined;
  readonly commandId: string | undefined;

  constructor(message: string, { cause, idempotencyKey, commandId }: Unanswered = {}) {
    super(message, { cause });
    this.idempotencyKey = idempotencyKey;
    this.commandId = commandId;
  }
}
