import type { TicketEvent } from '#contracts';
import type { Versioned } from '#persistence';
import { commentIn, messagesIn, viewId } from '../events.js';
import { lastingKeys } from '../ticket-keys.js';
import { heard, ticketWords, wordLimits, type Heard } from './words.js';

/**
 * What a ticket is found by. Every word costs an index entry, which some engines write again whenever anything in the document
 * changes: so it holds nothing that changes with most events (status, priority, time of the update), and is kept apart from the view.
 */
export interface SearchEntry extends Heard, Versioned {
  /** Version of the newest event that changed something here. */
  version: number;
  orgId: string;
  createdAt: Date;
  /** Its keys (whom it concerns, its tags: see `ticket-keys.ts`), then its words. Empty while the ticket is deleted: nothing finds it. */
  tokens: string[];
  open?: string[];
}

/** What the projection has to know of an entry to go on from it. */
export type KnownEntry = Pick<SearchEntry, 'version'> & Heard;

/** A key among the words of a ticket: no word holds the sign that marks it, and no beginning of one. */
export const keyToken = (key: string) => `=${key}`;

const unheard: KnownEntry = { version: 0, said: '', noted: '' };

/** Folds events of one ticket, oldest first, into its entry. Undefined when they change nothing in it or are known already. */
export function entryAfter(known: KnownEntry = unheard, events: readonly TicketEvent[]): SearchEntry | undefined {
  let [newest, last, told]: [TicketEvent | undefined, number, Heard] = [undefined, known.version, known];
  for (const event of events) {
    if (event.version <= last) continue; // it came again
    last = event.version;
    if (!matters(event)) continue;
    newest = event;
    told = listen(told, event);
  }
  return newest && entryOf(newest, told);
}

function entryOf({ orgId, ticket, type, version }: TicketEvent, { said, noted }: Heard): SearchEntry {
  const { tokens: words, ...rest } = ticketWords(ticket, { said, noted });
  return {
    _id: viewId(orgId, ticket.id),
    version,
    orgId,
    createdAt: new Date(ticket.createdAt),
    said,
    noted,
    ...(type === 'ticket.deleted.v1' ? { tokens: [] } : { tokens: [...lastingKeys(ticket).map(keyToken), ...words], ...rest }),
  };
}

const always: ReadonlySet<string> = new Set<TicketEvent['type']>([
  'ticket.created.v1',
  'ticket.details-updated.v1',
  'ticket.assignee-changed.v1',
  'ticket.deleted.v1',
  'ticket.restored.v1',
]);

const matters = (event: TicketEvent) => always.has(event.type) || commentIn(event) !== undefined || messagesIn(event).length > 0;

function listen({ said, noted }: Heard, event: TicketEvent): Heard {
  const comment = commentIn(event);
  if (comment?.kind === 'note') return { said, noted: heard(noted, [comment.body], wordLimits.noted) };
  const texts = [...(comment ? [comment.body] : []), ...messagesIn(event).map(({ content }) => content)];
  return { said: heard(said, texts, wordLimits.said), noted };
}
