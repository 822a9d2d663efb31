import { shortEventType, type Comment, type CommentKind, type Delivery, type Message, type Page, type PageQuery, type TimelineQuery } from '#contracts';
import { ProblemError } from '#observability';
import { openKinds } from './history/ticket-past.projection.js';
import { between, type TicketKey, type TimelineRows } from './history/timeline-rows.store.js';
import type { TimelineRow } from './ticket-view.projection.js';

/** A ticket whose history is read, up to which version (all of it unless told), and whether notes are part of it for who asks. */
export interface Reading extends TicketKey {
  to?: number | undefined;
  notes: boolean;
}

const allKinds: CommentKind[] = [...openKinds, 'note'];
const page = { _id: 0, version: 1, item: 1 };

/** Pages of what happened on a ticket, read from its timeline rows. Knows nothing of sight: its one user is `TicketViewStore`. */
export class TicketHistory {
  constructor(private readonly rows: TimelineRows) {}

  /** Events as JSON texts; of a note only that there is something. */
  async timeline(reading: Reading, { after, limit, type }: TimelineQuery): Promise<Page<string>> {
    const types = type && { type: { $in: type.map(shortEventType) } };
    const rows = await this.rows.find({ ...between(reading, versionIn(after), reading.to), ...types }, limit + 1, { ...page, kind: 1, type: 1, at: 1 });
    return paged(rows, limit, (row) => (row.kind === 'note' && !reading.notes ? hidden(row) : row.item));
  }

  /** Comments, replies and, for some, notes; of a reply what is known of its delivery. */
  async comments(reading: Reading, { after, limit }: PageQuery): Promise<Page<Comment>> {
    const kind = { $in: reading.notes ? allKinds : openKinds };
    const rows = await this.rows.find({ ...between(reading, versionIn(after), reading.to), kind }, limit + 1, page);
    const comments = paged(rows, limit, ({ item }) => (JSON.parse(item) as { data: { comment: Comment } }).data.comment);
    const deliveries = await this.deliveries(reading, comments.items.filter((comment) => comment.kind === 'reply'));
    const items = comments.items.map((comment) => (deliveries.has(comment.id) ? { ...comment, delivery: deliveries.get(comment.id)! } : comment));
    return { ...comments, items };
  }

  /** Messages of the linked conversation. One event may carry many, so a place is a version and a message within. */
  async conversation(reading: Reading, { after, limit }: PageQuery): Promise<Page<Message>> {
    const [version, index] = placeIn(after);
    const filter = { ...between(reading, version - 1, reading.to), messages: { $gt: 0 } };
    const counts = await this.rows.find(filter, limit + 2, { _id: 1, version: 1, messages: 1 });
    const needed = enough(counts, limit + 1 + (counts[0]?.version === version ? index : 0));
    const rows = await this.rows.find({ _id: { $in: needed.map(({ _id }) => _id) } }, limit + 2, page);
    const told = rows
      .flatMap((row) => messagesOf(row).map((message, at) => ({ message, version: row.version, at: at + 1 })))
      .filter((one) => one.version > version || one.at > index);
    const items = told.slice(0, limit);
    const last = items.at(-1);
    return { items: items.map(({ message }) => message), nextAfter: last && told.length > limit ? `${last.version}.${last.at}` : null };
  }

  /** What was reported last about these replies: at most one more read. What came later than the moment that is read is not known yet. */
  private async deliveries(reading: Reading, replies: readonly Comment[]): Promise<Map<string, Delivery>> {
    if (replies.length === 0) return new Map();
    const reports = { ...between(reading, replies[0]!.version, reading.to), reply: { $in: replies.map(({ id }) => id) } };
    const rows = await this.rows.find(reports, 0, { ...page, reply: 1 });
    return new Map(rows.map(({ reply, item }) => [reply!, deliveryIn(item)]));
  }
}

function paged<T>(rows: readonly TimelineRow[], limit: number, told: (row: TimelineRow) => T): Page<T> {
  const items = rows.slice(0, limit);
  return { items: items.map(told), nextAfter: rows.length > limit ? String(items.at(-1)!.version) : null };
}

const hidden = ({ version, type, at }: TimelineRow) => JSON.stringify({ version, type, at, hidden: true });

function messagesOf({ item }: TimelineRow): Message[] {
  const { data } = JSON.parse(item) as { data: { messages?: Message[]; conversation?: { messages: Message[] } } };
  return data.messages ?? data.conversation?.messages ?? [];
}

function deliveryIn(item: string): Delivery {
  const { at, data } = JSON.parse(item) as { at: string; data: Omit<Delivery, 'at'> };
  const { state, channel, detail } = data;
  return { state, ...(channel !== undefined && { channel }), ...(detail !== undefined && { detail }), at };
}

/** As many rows as hold so many messages. */
function enough(counts: readonly TimelineRow[], messages: number): TimelineRow[] {
  let sum = 0;
  return counts.filter(({ messages: held = 0 }) => {
    const isNeeded = sum < messages;
    sum += held;
    return isNeeded;
  });
}

function versionIn(after: string): number {
  if (!/^\d{1,9}$/.test(after)) throw invalid();
  return Number(after);
}

function placeIn(after: string): [version: number, index: number] {
  const [, version, index] = /^(\d{1,9})\.(\d{1,9})$/.exec(after === '0' ? '0.0' : after) ?? [];
  if (version === undefined) throw invalid();
  return [Number(version), Number(index)];
}

const invalid = () => new ProblemError('invalid-cursor', '`after` is not a place in this list.');
