import { Calls, type CallOptions, type Times, type WriteOptions } from './calls.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { DeadLetters } from './dead-letters.js';
import { Events } from './events.js';
import { Organisation } from './organisation.js';
import { Producers } from './producers.js';
import { streamed, type StreamedEvent, type StreamOptions } from './stream.js';
import { Tickets } from './tickets.js';
import type { ApiKey, Assistant, CommandStatus, CreatedApiKey, Me, Member, NewApiKey, Stats, StatsQuery } from './types.js';

/** Whom to talk to, as whom, and how patiently. */
export interface DeskstreamOptions extends ConnectionOptions, Times {}

interface Items<T> {
  items: T[];
}

/**
 * The ticket platform over REST. Calls try again while nobody answers or the product asks for patience (429, 503), and end with an answer,
 * a `DeskstreamProblem`, a `DeskstreamNoAnswer`, or the reason of the signal that ended them.
 */
export class Deskstream {
  readonly tickets: Tickets;
  readonly commands: Commands;
  readonly apiKeys: ApiKeys;
  readonly organisation: Organisation;
  readonly producers: Producers;
  readonly deadLetters: DeadLetters;
  readonly events: Events;
  readonly #connection: Connection;
  readonly #calls: Calls;

  constructor(private readonly options: DeskstreamOptions) {
    this.#connection = new Connection(options);
    this.#calls = new Calls(this.#connection, options);
    this.tickets = new Tickets(this.#calls);
    this.commands = new Commands(this.#calls);
    this.apiKeys = new ApiKeys(this.#calls);
    this.organisation = new Organisation(this.#calls);
    this.producers = new Producers(this.#calls);
    this.deadLetters = new DeadLetters(this.#calls);
    this.events = new Events(this.#calls);
  }

  /** Who one is. */
  me(options?: CallOptions): Promise<Me> {
    return this.#calls.read('/me', {}, options);
  }

  /** Who can be assigned. */
  async members(options?: CallOptions): Promise<Member[]> {
    return (await this.#calls.read<Items<Member>>('/members', {}, options)).items;
  }

  /** The organisation's assistants, and whose they are. */
  async assistants(options?: CallOptions): Promise<Assistant[]> {
    return (await this.#calls.read<Items<Assistant>>('/assistants', {}, options)).items;
  }

  /** Numbers of the tickets that the caller sees; of the last 30 days without bounds. */
  stats(query: StatsQuery = {}, options?: CallOptions): Promise<Stats> {
    return this.#calls.read('/stats', query, options);
  }

  /**
   * What happens from now on, or since `lastEventId`, without an end: a connection that breaks is made again where it was. Ends by throwing: a
   * `DeskstreamProblem` when the product refuses (401, 403, 422 …), or the signal's reason.
   */
  stream(options: StreamOptions = {}): AsyncGenerator<StreamedEvent, never, undefined> {
    return streamed(this.#connection, { timeoutMs: this.options.timeoutMs, ...options });
  }
}

/** What became of one's own writes. */
export class Commands {
  constructor(private readonly calls: Calls) {}

  get(id: string, options?: CallOptions): Promise<CommandStatus> {
    return this.calls.read(`/commands/${encodeURIComponent(id)}`, {}, options);
  }
}

/** Keys of agents; for administrators. */
export class ApiKeys {
  constructor(private readonly calls: Calls) {}

  /** The secret comes with the first answer only: where that got lost and the call was repeated it is missing, and another key is to be made. */
  create(key: NewApiKey, options?: WriteOptions): Promise<CreatedApiKey> {
    return this.calls.write({ method: 'POST', path: '/api-keys', body: key }, options);
  }

  async list(options?: CallOptions): Promise<ApiKey[]> {
    return (await this.calls.read<Items<ApiKey>>('/api-keys', {}, options)).items;
  }

  /** Nobody gets in with it any more 5 s later. */
  async delete(id: string, options?: WriteOptions): Promise<void> {
    await this.calls.write({ method: 'DELETE', path: `/api-keys/${encodeURIComponent(id)}` }, options);
  }
}
