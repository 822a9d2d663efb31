import { CommentAnswer, CommentPage, exportTypes, MessagePage, MessagesAnswer, PendingCommand, TicketAnswer, TicketCounts, TicketDetail, TicketList, TimelinePage, ToolCallAnswer, Transitions, type ProblemName } from '#contracts';
import type { OperationText, Told } from './operation.js';

type Text = Pick<OperationText, 'id' | 'summary' | 'description' | 'needs' | 'body' | 'problems'> & { tag?: OperationText['tag'] };

/** The ticket after a write. */
const changed: Told = { description: 'The ticket after it.', body: TicketAnswer, headers: ['ETag', 'Idempotency-Replayed'] };
const pending: Told = {
  description: 'The command is stored by the broker; its outcome is not known yet. Follow `Location`.',
  body: PendingCommand,
  headers: ['Location', 'Preference-Applied'],
};
const refusals: ProblemName[] = ['forbidden', 'not-found', 'gone', 'version-conflict', 'overloaded'];

/** A write to a ticket: its command is decided elsewhere, and waited for up to 2 s. */
const write = ({ problems = [], tag = 'Tickets', ...text }: Text, answers: Record<number, Told> = { 200: changed }): OperationText => ({
  tag,
  ...text,
  headers: ['If-Match', 'Prefer'],
  answers: { ...answers, 202: pending },
  problems: [...refusals, ...problems],
});

const read = ({ problems = [], tag = 'Tickets', ...text }: Text, told: Told): OperationText => ({
  tag,
  needs: 'read',
  ...text,
  answers: { 200: { ...told, headers: [...(told.headers ?? []), 'X-Projection-Lag-Ms'] } },
  problems: ['forbidden', ...problems],
});

/** A read of one ticket, which may wait for a write. */
const readOne = (text: Text, told: Told): OperationText => ({
  ...read({ ...text, problems: ['not-found', 'gone', 'not-yet', ...(text.problems ?? [])] }, told),
  headers: ['X-Min-Version'],
});

const made = (description: string, body: Told['body']): Record<number, Told> => ({ 201: { ...changed, description, body: body! } });

/** What the reference says about the routes of tickets. */
export const ticketOperations = {
  list: read(
    {
      id: 'listTickets',
      summary: 'List and search tickets',
      description: 'Filters may be repeated or hold several values between commas: any of them. Different filters must all match.',
      problems: ['invalid-cursor', 'page-too-deep'],
    },
    { description: 'A page of the list.', body: TicketList, headers: ['Link'] },
  ),
  counts: read({ id: 'countTickets', summary: 'Count tickets by status', description: 'Under the same filters as the list but status.' }, { description: 'The counts.', body: TicketCounts }),
  export: read(
    {
      id: 'exportTickets',
      tag: 'Reports',
      summary: 'Export tickets',
      description: 'All tickets that match, not a page. An export that breaks off ends without its end: the connection is closed, so that nobody takes it for whole.',
      problems: ['overloaded'],
    },
    {
      description: 'The export, while it is made.',
      media: {
        [bare(exportTypes.csv)]: 'RFC 4180, UTF-8 with a byte order mark and a header line.',
        [bare(exportTypes.ndjson)]: 'A ticket a line, with its whole description.',
      },
      headers: ['Content-Disposition'],
    },
  ),
  detail: readOne(
    { id: 'getTicket', summary: 'Read a ticket', description: 'By id or number. With `version` or `asOf` as it was then; nothing can be done about the past, so it allows no moves.' },
    { description: 'The ticket.', body: TicketDetail, headers: ['ETag'] },
  ),
  transitions: readOne({ id: 'listTransitions', summary: 'Which moves are allowed now' }, { description: 'The status, and where the caller may move the ticket.', body: Transitions }),
  comments: readOne(
    {
      id: 'listComments',
      tag: 'Conversation',
      summary: 'Read the thread',
      description: 'Comments, notes (for those who may read them), replies, and comments made with a transition, in order.',
      problems: ['invalid-cursor'],
    },
    { description: 'A page of the thread.', body: CommentPage },
  ),
  timeline: readOne(
    { id: 'listTimeline', tag: 'History', summary: 'Read the timeline', description: "Every event in the order of versions. In a note's place, who may not read notes finds one that is hidden.", problems: ['invalid-cursor'] },
    { description: 'A page of events.', body: TimelinePage },
  ),
  conversation: readOne(
    { id: 'listMessages', tag: 'Conversation', summary: 'Read the linked conversation', problems: ['invalid-cursor'] },
    { description: 'A page of messages.', body: MessagePage },
  ),
  create: {
    ...write(
      {
        id: 'createTicket',
        summary: 'Open a ticket',
        description: 'Only `title` is required. An agent always opens tickets of its own assistant.',
        needs: 'create',
        body: { title: 'Invoice 4711 shows the wrong amount', priority: 'high', assistantId: 'billing-bot', requester: { name: 'Rita Mäkelä', email: 'rita@example.com' }, tags: ['invoice'] },
        problems: ['invalid-assignee', 'ticket-too-large'],
      },
      { 201: { ...changed, description: 'The new ticket.', headers: ['Location', 'ETag', 'Idempotency-Replayed'] } },
    ),
    headers: ['Prefer'],
  },
  edit: write({
    id: 'updateTicket',
    summary: 'Change details',
    description: 'A merge-patch (RFC 7396): what is absent stays, null empties. A patch that changes nothing makes no event.',
    needs: 'edit',
    body: { priority: 'urgent', customFields: { plan: 'gold', region: null } },
    problems: ['ticket-closed', 'invalid-assignee', 'ticket-too-large'],
  }),
  delete: write(
    { id: 'deleteTicket', summary: 'Delete a ticket', description: 'Softly, in any status: it leaves every list, and an administrator may restore it within 30 days.', needs: 'delete' },
    { 204: { description: 'It is deleted.', headers: ['ETag', 'Idempotency-Replayed'] } },
  ),
  restore: write({ id: 'restoreTicket', summary: 'Restore a deleted ticket', needs: 'restore' }),
  move: write({
    id: 'moveTicket',
    summary: 'Move a ticket to another status',
    description: '`open → pending → resolved → closed`, and back to `open` from `pending` and `resolved`. `in_progress` means `pending`.',
    needs: 'transition',
    body: { to: 'pending', comment: 'Looking into it' },
    problems: ['invalid-transition'],
  }),
  assign: write({ id: 'assignTicket', summary: 'Assign a ticket', description: 'To a member or an agent of the organisation, who sees it from then on.', needs: 'assign', body: { type: 'member', id: 'grace' }, problems: ['invalid-assignee'] }),
  release: write({ id: 'releaseTicket', summary: 'Assign a ticket to nobody', needs: 'assign' }),
  take: write({ id: 'takeTicket', summary: 'Assign a ticket to oneself', needs: 'assign' }),
  comment: write(
    { id: 'addComment', tag: 'Conversation', summary: 'Comment', description: 'For the team and agents.', needs: 'comment', body: { body: 'Accounting has the offer.' }, problems: ['ticket-too-large'] },
    made('The comment, and the ticket after it.', CommentAnswer),
  ),
  note: write(
    { id: 'addNote', tag: 'Conversation', summary: 'Note', description: 'For the team only.', needs: 'note', body: { body: 'She called twice.' }, problems: ['ticket-too-large'] },
    made('The note, and the ticket after it.', CommentAnswer),
  ),
  reply: write(
    { id: 'addReply', tag: 'Conversation', summary: 'Reply to the requester', needs: 'reply', body: { body: 'We corrected your invoice.' }, problems: ['ticket-closed', 'ticket-too-large'] },
    made('The reply, and the ticket after it.', CommentAnswer),
  ),
  append: write(
    {
      id: 'appendMessages',
      tag: 'Conversation',
      summary: 'Append to the linked conversation',
      needs: 'edit',
      body: { messages: [{ role: 'user', content: 'My invoice is wrong' }, { role: 'assistant', content: 'I open a ticket for you' }] },
      problems: ['ticket-closed', 'ticket-too-large'],
    },
    made('The messages, and the ticket after them.', MessagesAnswer),
  ),
  recordToolCall: write(
    {
      id: 'recordToolCall',
      tag: 'Conversation',
      summary: "Record an agent's call of a tool",
      needs: 'edit',
      body: { tool: 'find-invoice', arguments: { number: 4711 }, status: 'ok', result: { amount: 12.5 }, durationMs: 87 },
      problems: ['ticket-closed', 'ticket-too-large'],
    },
    made('The version that it made, and the ticket after it.', ToolCallAnswer),
  ),
} as const satisfies Record<string, OperationText>;

function bare(type: string) {
  return type.split(';')[0]!;
}
