import { randomUUID } from 'node:crypto';
import type { Assignee, Status, Ticket, TicketEvent } from '#contracts';
import { ticketOf } from '../../../libs/contracts/testing/builders.js';

const system = { type: 'system', id: 'spec', name: 'Spec' } as const;

/** The course of a ticket, as events tell it. */
export class Course {
  private constructor(
    readonly events: readonly TicketEvent[],
    private readonly ticket: Ticket,
    private readonly orgId: string,
  ) {}

  static begin(orgId: string, id: string = randomUUID()): Course {
    const ticket = ticketOf({ id, createdBy: system, createdAt: '2026-01-05T10:00:00.000Z', updatedAt: '2026-01-05T10:00:00.000Z', version: 0 });
    return new Course([], ticket, orgId);
  }

  get id() {
    return this.ticket.id;
  }

  created(changes: Partial<Ticket> = {}) {
    const { title, description, priority, assistantId, requester, tags, customFields, assignee, externalId, followUpOf } = { ...this.ticket, ...changes };
    return this.with('ticket.created.v1', { title, description, priority, assistantId, requester, tags, customFields, assignee, externalId, followUpOf }, changes);
  }

  assigned(assignee: Assignee | null) {
    return this.with('ticket.assignee-changed.v1', { from: this.ticket.assignee, to: assignee, reason: 'manual' }, { assignee });
  }

  moved(to: Status) {
    return this.with('ticket.status-changed.v1', { from: this.ticket.status, to }, { status: to });
  }

  /** Whatever happens next happens at this time. */
  at(time: string) {
    return new Course(this.events, { ...this.ticket, updatedAt: new Date(time).toISOString() }, this.orgId);
  }

  replied() {
    const { version, updatedAt: at } = this.ticket;
    const comment = { id: randomUUID(), kind: 'reply', body: 'Like this', author: system, at, version: version + 1 };
    return this.with('ticket.comment-added.v1', { comment }, { firstRepliedAt: this.ticket.firstRepliedAt ?? at });
  }

  commented() {
    const { version, updatedAt: at } = this.ticket;
    return this.with('ticket.comment-added.v1', { comment: { id: randomUUID(), kind: 'comment', body: 'Hm', author: system, at, version: version + 1 } }, {});
  }

  said(role: 'user' | 'assistant' = 'user') {
    return this.with('ticket.conversation-appended.v1', { messages: [{ id: randomUUID(), role, content: 'And now?', at: this.ticket.updatedAt }] }, {});
  }

  edited(changes: Partial<Pick<Ticket, 'tags' | 'priority' | 'assistantId'>>) {
    return this.with('ticket.details-updated.v1', { changes: {} }, changes);
  }

  deleted = () => this.with('ticket.deleted.v1', {}, {});
  restored = () => this.with('ticket.restored.v1', {}, {});

  private with(type: TicketEvent['type'], data: unknown, changes: Partial<Ticket>): Course {
    const ticket = { ...this.ticket, ...changes, version: this.ticket.version + 1 };
    const { version, id: ticketId, updatedAt: at } = ticket;
    const event = { type, orgId: this.orgId, ticketId, version, commandId: randomUUID(), actor: system, at, data, ticket } as TicketEvent;
    return new Course([...this.events, event], ticket, this.orgId);
  }
}

/** A ticket that is about to be opened. */
export const course = (orgId = 'acme') => Course.begin(orgId);
