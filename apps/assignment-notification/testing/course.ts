import { randomUUID } from 'node:crypto';
import type { Actor, Assignee, Comment, Status, Ticket, TicketEvent } from '#contracts';

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
    const ticket: Ticket = {
      id,
      number: 1,
      title: 'A title',
      description: '',
      status: 'open',
      priority: 'normal',
      assistantId: null,
      requester: null,
      assignee: null,
      tags: [],
      customFields: {},
      channel: 'api',
      createdBy: system,
      externalId: null,
      followUpOf: null,
      createdAt: '2026-01-05T10:00:00.000Z',
      updatedAt: '2026-01-05T10:00:00.000Z',
      firstRepliedAt: null,
      resolvedAt: null,
      closedAt: null,
      commentCount: 0,
      version: 0,
    };
    return new Course([], ticket, orgId);
  }

  get id() {
    return this.ticket.id;
  }

  /** Whatever comes next is done by them. */
  by(actor: Actor): Course {
    return new Course(this.events, this.ticket, this.orgId, actor);
  }

  commented(kind: Comment['kind'], body: string) {
    return this.with('ticket.comment-added.v1', { comment: this.comment(kind, body) }, {});
  }

  heard(content: string, role = 'user') {
    return this.with('ticket.conversation-appended.v1', { messages: [{ id: randomUUID(), role, content, at: this.ticket.updatedAt }] }, {});
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

  edited(changes: Partial<Pick<Ticket, 'tags' | 'priority'>>) {
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
