import type { Answer, Connection, Outgoing } from './connection.js';
import { DeskstreamNoAnswer, DeskstreamProblem, type ProblemBody } from './errors.js';
import { pause, retried, type Patience } from './patience.js';
import type { CommandStatus } from './types.js';

/** How long calls wait and try. */
export interface Times {
  /** One request is given up after so many ms and, while there is time, sent again (10,000). */
  timeoutMs?: number | undefined;
  /** No request of a call is sent later than so many ms after its beginning (60,000); 0 tries once. */
  retryForMs?: number | undefined;
}

/** What every call may be told. */
export interface CallOptions extends Times {
  /** Ends the call, also while it waits; its reason is thrown. */
  signal?: AbortSignal | undefined;
}

/** What a read of a ticket may be told. */
export interface ReadOptions extends CallOptions {
  /** The version that the answer must have reached, such as the one of one's own write. */
  minVersion?: number | undefined;
}

/** What a write may be told. */
export interface WriteOptions extends CallOptions {
  /** Another call with the same key and content gets the first one's answer, and nothing happens twice. Every call has its own unless it is told one. */
  idempotencyKey?: string | undefined;
}

/** What a write to a ticket may be told. */
export interface TicketWriteOptions extends WriteOptions {
  /** The version that the write was decided on: another one by now is refused as `version-conflict`. */
  ifVersion?: number | undefined;
}

export type Query = Readonly<Record<string, string | number | readonly (string | number)[] | undefined>>;

const [firstLookMs, longestLookMs] = [100, 2_000];

/**
 * Calls that last until they have an outcome. Answers are taken as they are, without a look at their schema: they come from the one product that the types
 * describe, which may add members at any time, and a check would bring the schemas and their library into every program that uses this one.
 */
export class Calls {
  constructor(
    private readonly connection: Connection,
    private readonly times: Times,
  ) {}

  async read<T>(path: string, query: Query = {}, options: ReadOptions = {}): Promise<T> {
    const { minVersion } = options;
    const headers = { ...(minVersion !== undefined && { 'x-min-version': String(minVersion) }) };
    const { body } = await this.#ask({ method: 'GET', path: `/v1${path}${search(query)}`, headers }, options, this.#patience(options));
    return body as T;
  }

  /** Sends it under one key until the product has decided it. */
  async write<T>({ method, path, body }: Outgoing, options: TicketWriteOptions = {}): Promise<T> {
    const { idempotencyKey = crypto.randomUUID(), ifVersion } = options;
    const headers = { 'idempotency-key': idempotencyKey, ...(ifVersion !== undefined && { 'if-match': `"${ifVersion}"` }) };
    const [outgoing, patience]: [Outgoing, Patience] = [{ method, path: `/v1${path}`, headers, body }, this.#patience(options)];
    let commandId: string | undefined;
    try {
      for (;;) {
        const answer = await this.#ask(outgoing, options, patience);
        if (answer.status !== 202) return answer.body as T;
        commandId = (answer.body as CommandStatus).id;
        // Once it is decided the key gives the very answer that the write would have had. A read of the ticket would be of a later version, or refused: it may be deleted, and writing is another scope than reading.
        await this.#decided(answer, options, patience);
      }
    } catch (error) {
      if (!(error instanceof DeskstreamNoAnswer)) throw error;
      throw new DeskstreamNoAnswer(error.message, { cause: error.cause, commandId, idempotencyKey });
    }
  }

  #ask(outgoing: Outgoing, { timeoutMs, signal }: CallOptions, patience: Patience): Promise<Answer> {
    const ends = { timeoutMs: timeoutMs ?? this.times.timeoutMs ?? 10_000, signal };
    return retried(() => this.connection.send(outgoing, ends), patience);
  }

  /** Waits for what a 202 promised. @throws DeskstreamProblem when it was refused, DeskstreamNoAnswer when that takes too long */
  async #decided({ headers, body }: Answer, options: CallOptions, patience: Patience): Promise<void> {
    const path = placeIn(headers.get('location')) ?? `/v1/commands/${(body as CommandStatus).id}`;
    for (let wait = firstLookMs; ; wait = Math.min(longestLookMs, 2 * wait)) {
      if (performance.now() + wait > patience.until) throw new DeskstreamNoAnswer('The outcome is not known yet');
      await pause(wait, patience.signal);
      const { body: command, headers: told } = await this.#ask({ method: 'GET', path }, options, patience);
      if (isDecided(command as CommandStatus, told.get('x-request-id') ?? undefined)) return;
    }
  }

  #patience({ retryForMs, signal }: CallOptions): Patience {
    return { until: performance.now() + (retryForMs ?? this.times.retryForMs ?? 60_000), signal };
  }
}

/** A path at the product's address, whatever host a `Location` names: the token goes nowhere else. */
const placeIn = (location: string | null) => location?.match(/\/v1\/.*$/)?.[0];

const setAside = { type: '/problems/handler-failed', status: 500, detail: 'The command was set aside; an operator may still replay it.' };

/** Whether there is an outcome; a bad one is thrown. */
function isDecided({ state, problem }: CommandStatus, requestId?: string): boolean {
  if (state === 'pending') return false;
  if (state === 'applied' || state === 'unchanged') return true;
  const { status, ...body } = problem ?? setAside;
  throw new DeskstreamProblem({ ...body, status } as ProblemBody, { status, requestId });
}

function search(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) for (const one of [value ?? []].flat()) given.append(name, String(one));
  return given.size === 0 ? '' : `?${given.toString()}`;
}
