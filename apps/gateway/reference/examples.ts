import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shortEventType, snippetOf, type EventType, type EventValue, type MessageType, type Ticket } from '#contracts';
import { allowedTransitions } from '#domain';

/** A message as it was once written to a topic: `<type>.json`, or `<type>.<what is special>.json`. */
export interface Sample {
  type: MessageType;
  name: string;
  value: unknown;
}

/** The golden samples of messages. They are never edited, so they are the best examples there are. */
export const readSamples = (root: string): Sample[] =>
  readdirSync(join(root, 'libs/contracts/golden'))
    .sort()
    .map((file) => ({
      type: /^.+?\.v\d+/.exec(file)![0] as MessageType,
      name: file.slice(0, -'.json'.length),
      value: JSON.parse(readFileSync(join(root, 'libs/contracts/golden', file), 'utf8')) as unknown,
    }));

const everybody = { actor: { type: 'member' as const, id: 'ada', name: 'Ada' }, access: { role: 'admin' as const, assistantIds: [] } };
const seen = (ticket: Ticket) => ({ ...ticket, allowedTransitions: allowedTransitions(everybody, ticket) });
const page = (items: unknown[]) => ({ items, nextAfter: null });

/** Examples of answers by the name of their shape, made of the samples. */
export function answerExamples(samples: readonly Sample[]): Record<string, unknown> {
  const event = <T extends EventType>(type: T) => samples.find(({ name }) => name === type)!.value as EventValue<T>;
  const created = event('ticket.created.v1');
  const { comment } = event('ticket.comment-added.v1').data;
  const messages = created.data.conversation!.messages;
  const ticket = seen(created.ticket);
  const { description: _, ...item } = ticket;
  const { deadlines } = samples.find(({ type }) => type === 'ticket.deadline-warning.v1')!.value as { deadlines: unknown };
  const listed = { ...item, snippet: snippetOf(created.ticket), deadlines };
  return {
    ...commonExamples,
    Ticket: created.ticket,
    TicketAnswer: ticket,
    TicketDetail: { ...ticket, deadlines },
    TicketItem: listed,
    TicketList: { items: [listed], page: 1, pageSize: 25, total: 1, totalIsExact: true, totalPages: 1, nextCursor: null },
    Transitions: { status: ticket.status, allowed: ticket.allowedTransitions },
    CommentPage: page([comment]),
    CommentAnswer: { comment, ticket: seen(event('ticket.comment-added.v1').ticket) },
    MessagePage: page(messages),
    MessagesAnswer: { messages, ticket },
    ToolCallAnswer: { version: ticket.version, ticket },
    TimelinePage: page([timelineItem('ticket.comment-added.v1', event('ticket.comment-added.v1')), timelineItem('ticket.status-changed.v1', event('ticket.status-changed.v1'))]),
    Suggestions: { tickets: [{ id: ticket.id, number: ticket.number, title: ticket.title, status: ticket.status }], people: [ticket.requester], tags: ticket.tags },
    PendingCommand: { id: created.commandId, ticketId: ticket.id, state: 'pending' },
    CommandStatus: { id: created.commandId, state: 'applied', ticketId: ticket.id, version: 1 },
  };
}

const timelineItem = (type: EventType, { version, at, actor, data }: EventValue) => ({ version, type: shortEventType(type), at, actor, data });

const duration = { count: 31, medianMs: 1_260_000, p90Ms: 14_400_000 };
const commonExamples = {
  TicketCounts: { open: 12, pending: 7, resolved: 20, closed: 311, total: 350, isExact: true },
  Me: { type: 'member', id: 'grace', name: 'Grace Hopper', email: 'grace@acme.example', orgId: 'acme', role: 'member', assistantIds: ['billing-bot'] },
  Members: { items: [{ id: 'grace', name: 'Grace Hopper', email: 'grace@acme.example', role: 'member' }] },
  Assistants: { items: [{ id: 'billing-bot', name: 'Billing assistant', memberIds: ['grace'] }] },
  HealthAnswer: { status: 'up', checks: { kafka: 'up', mongodb: 'up' } },
  Stats: {
    asOf: '2026-02-01T10:00:00.000Z',
    byStatus: { open: 12, pending: 7, resolved: 20, closed: 311 },
    byPriority: { low: 40, normal: 250, high: 50, urgent: 10 },
    byAssistant: [{ id: 'billing-bot', count: 200 }],
    byAssignee: [{ type: 'member', id: 'grace', name: 'Grace Hopper', count: 120 }],
    byTag: [{ tag: 'invoice', count: 90 }],
    openTags: [{ tag: 'invoice', count: 6 }],
    openWords: [{ word: 'invoice', count: 8 }],
    days: [{ date: '2026-01-31', created: 9, resolved: 11 }],
    firstReply: duration,
    resolution: { count: 28, medianMs: 5_400_000, p90Ms: 86_400_000 },
  },
};
