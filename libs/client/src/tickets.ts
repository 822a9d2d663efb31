import type { Calls, Query, ReadOptions, TicketWriteOptions, CallOptions, WriteOptions } from './calls.js';
import { pagesOf } from './pages.js';
import type * as types from './types.js';
import type { Comment, CommentAnswer, Ticket, TicketItem, TicketList } from './types.js';

/** Tickets, and what is in them. An `id` is a ticket's UUID. */
export class Tickets {
  constructor(private readonly calls: Calls) {}

  /** Opens one. */
  create(ticket: types.NewTicket, options?: WriteOptions): Promise<Ticket> {
    return this.calls.write({ method: 'POST', path: '/tickets', body: ticket }, options);
  }

  /** By id or number; with `version` or `asOf` as it was then. */
  get(idOrNumber: string | number, query: types.TicketQuery = {}, options?: ReadOptions): Promise<Ticket> {
    return this.calls.read(at(idOrNumber), query, options);
  }

  /** One page of those that match. */
  list(query: types.ListQuery = {}, options?: CallOptions): Promise<TicketList> {
    return this.calls.read('/tickets', query, options);
  }

  /** All that match, however many. Sorted by creation or number, none that existed throughout is missed or repeated. */
  async *all(query: Omit<types.ListQuery, 'page' | 'cursor'> = {}, options?: CallOptions): AsyncGenerator<TicketItem, void, undefined> {
    const wanted: Query = { pageSize: 100, ...query };
    let cursor: string | undefined;
    do {
      const list: TicketList = await this.calls.read('/tickets', { ...wanted, cursor }, options);
      yield* list.items;
      cursor = list.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** How many of each status match. */
  counts(query: types.CountsQuery = {}, options?: CallOptions): Promise<types.TicketCounts> {
    return this.calls.read('/tickets/counts', query, options);
  }

  /** A merge-patch: what is absent stays, null empties. */
  update(id: string, patch: types.TicketPatch, options?: TicketWriteOptions): Promise<Ticket> {
    return this.calls.write({ method: 'PATCH', path: at(id), body: patch }, options);
  }

  /** Softly: an administrator may restore it within 30 days. */
  async delete(id: string, options?: TicketWriteOptions): Promise<void> {
    await this.calls.write({ method: 'DELETE', path: at(id) }, options);
  }

  restore(id: string, options?: TicketWriteOptions): Promise<Ticket> {
    return this.#post(id, 'restore', { options });
  }

  /** Where the caller may move it now. */
  transitions(id: string, options?: ReadOptions): Promise<types.Transitions> {
    return this.calls.read(`${at(id)}/transitions`, {}, options);
  }

  /** To another status, with a comment if one is given. */
  move(id: string, move: types.Move, options?: TicketWriteOptions): Promise<Ticket> {
    return this.#post(id, 'transitions', { body: move, options });
  }

  assign(id: string, assignee: types.AssigneeInput, options?: TicketWriteOptions): Promise<Ticket> {
    return this.calls.write({ method: 'PUT', path: `${at(id)}/assignee`, body: assignee }, options);
  }

  /** Assigns it to nobody. */
  release(id: string, options?: TicketWriteOptions): Promise<Ticket> {
    return this.calls.write({ method: 'DELETE', path: `${at(id)}/assignee` }, options);
  }

  /** Assigns it to oneself. */
  take(id: string, options?: TicketWriteOptions): Promise<Ticket> {
    return this.#post(id, 'take', { options });
  }

  /** For the team and agents. */
  comment(id: string, body: string, options?: TicketWriteOptions): Promise<CommentAnswer> {
    return this.#post(id, 'comments', { body: { body }, options });
  }

  /** For the team only. */
  note(id: string, body: string, options?: TicketWriteOptions): Promise<CommentAnswer> {
    return this.#post(id, 'notes', { body: { body }, options });
  }

  /** To the requester. */
  reply(id: string, body: string, options?: TicketWriteOptions): Promise<CommentAnswer> {
    return this.#post(id, 'replies', { body: { body }, options });
  }

  /** The thread in order: comments, notes, replies. */
  comments(id: string, query: types.PageQuery = {}, options: ReadOptions = {}): AsyncGenerator<Comment, void, undefined> {
    return pagesOf(this.calls, `${at(id)}/comments`, { query, options });
  }

  /** Every event in the order of versions. */
  timeline(id: string, query: types.TimelineQuery = {}, options: ReadOptions = {}): AsyncGenerator<types.TimelineItem, void, undefined> {
    return pagesOf(this.calls, `${at(id)}/timeline`, { query, options });
  }

  /** The messages of the linked conversation. */
  conversation(id: string, query: types.PageQuery = {}, options: ReadOptions = {}): AsyncGenerator<types.Message, void, undefined> {
    return pagesOf(this.calls, `${at(id)}/conversation`, { query, options });
  }

  appendMessages(id: string, messages: types.MessageInput[], options?: TicketWriteOptions): Promise<types.MessagesAnswer> {
    return this.#post(id, 'conversation', { body: { messages }, options });
  }

  recordToolCall(id: string, call: types.ToolCall, options?: TicketWriteOptions): Promise<types.ToolCallAnswer> {
    return this.#post(id, 'tool-calls', { body: call, options });
  }

  #post<T>(id: string, what: string, { body, options }: { body?: unknown; options?: TicketWriteOptions | undefined }): Promise<T> {
    return this.calls.write({ method: 'POST', path: `${at(id)}/${what}`, body }, options);
  }
}

const at = (ticket: string | number) => `/tickets/${encodeURIComponent(ticket)}`;
