import { randomUUID } from 'node:crypto';
import type { Actor, Assignee, Comment, Status, Ticket, TicketEvent } from '#contracts';
import { ticketOf } from '../../../libs/contracts/testing/builders.js';

const system = { type: 'system', id: 'spec', name: 'Spec' } as const;

/** The course of a ticket, as events tell it. */
export class Course {
  private constructor(
    readonly events: readonly TicketEvent[],
    private readonly ticket: Ticket,
    private readonly orgId: string,
    private readonly actor: Actor = system,
  ) {}

  static begin(orgId: string, id: string = randomUUID()): Course {
    const ticket = ticketOf({ id, createdBy: system, createdAt: '2026-01-05T10:00:00.000Z', updatedAt: '2026-01-05T10:00:00.000Z', version: 0 });
    return new Course([], ticket, orgId);
  }

  get id() {
    return this.ticket.id;
  }

  /** Whatever comes next is done by them. */
  by(actor: Actor): Course {
    return new Course(this.events, this.ticket, this.orgId, actor);
  }

  commented(kind: Comment['kind'] = 'comment', body = 'Hm') {
    return this.with('ticket.comment-added.v1', { comment: this.comment(kind, body) }, {});
  }

  created(changes: Partial<Ticket> = {}) {
    const { title, description, priority, assistantId, requester, tags, customFields, assignee, externalId, followUpOf } = { ...this.ticket, ...changes };
    return this.with('ticket.created.v1', { title, description, priority, assistantId, requester, tags, customFields, assignee, externalId, followUpOf }, changes);
  }

  assigned(assignee: Assignee | null) {
    return this.with('ticket.assignee-changed.v1', { from: this.ticket.assignee, to: assignee, reason: 'manual' }, { assignee });
  }

  moved(to: Status, comment?: string) {
    return this.with('ticket.status-changed.v1', { from: this.ticket.status, to, ...(comment !== undefined && { comment: this.comment('comment', comment) }) }, { status: to });
  }

  refiled(assistantId: string | null) {
    return this.with('ticket.details-updated.v1', { changes: { assistantId: { from: this.ticket.assistantId, to: assistantId } } }, { assistantId });
  }

  /** Whatever happens next happens at this time. */
  at(time: string) {
    return new Course(this.events, { ...this.ticket, updatedAt: new Date(time).toISOString() }, this.orgId, this.actor);
  }

  replied() {
    const { version, updatedAt: at } = this.ticket;
    const comment = { id: randomUUID(), kind: 'reply', body: 'Like this', author: system, at, version: version + 1 };
    return this.with('ticket.comment-added.v1', { comment }, { firstRepliedAt: this.ticket.firstRepliedAt ?? at });
  }

  said(role: 'user' | 'assistant' = 'user', content = 'And now?') {
    return this.with('ticket.conversation-appended.v1', { messages: [{ id: randomUUID(), role, content, at: this.ticket.updatedAt }] }, {});
  }

  edited(changes: Partial<Pick<Ticket, 'tags' | 'priority' | 'assistantId'>>) {
    return this.with('ticket.details-updated.v1', { changes: {} }, changes);
  }

  deleted = () => this.with('ticket.deleted.v1', {}, {});
  restored = () => this.with('ticket.restored.v1', {}, {});

  private comment(kind: Comment['kind'], body: string): Comment {
    return { id: randomUUID(), kind, body, author: this.actor, at: this.ticket.updatedAt, version: this.ticket.version + 1 };
  }

  private with(type: TicketEvent['type'], data: unknown, changes: Partial<Ticket>): Course {
    const ticket = { ...this.ticket, ...changes, version: this.ticket.version + 1 };
    const { version, id: ticketId, updatedAt: at } = ticket;
    const event = { type, orgId: this.orgId, ticketId, version, commandId: randomUUID(), actor: this.actor, at, data, ticket } as TicketEvent;
    return new Course([...this.events, event], ticket, this.orgId, this.actor);
  }
}

/** A ticket that is about to be opened. */
export const course = (orgId = 'acme') => Course.begin(orgId);
