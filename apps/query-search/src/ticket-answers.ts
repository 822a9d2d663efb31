import { maxListDepth, type ListQuery, type Page, type Principal, type Status } from '#contracts';
import { allowedTransitions } from '#domain';
import type { SeenTicket } from './history/ticket-moments.store.js';
import type { ListedTicket, TicketPage } from './ticket-view.store.js';

/**
 * Answers as JSON texts. Tickets are stored as they are served; what depends on the caller is put behind, without taking them apart
 * and together again.
 */
const allowed = (principal: Principal, { status, isPast = false }: { status: Status; isPast?: boolean }) =>
  `"allowedTransitions":${JSON.stringify(isPast ? [] : allowedTransitions(principal, { status }))}}`;

/** A JSON object's text without its end. */
const opened = (object: string) => object.slice(0, -1);

/** As another topic has told; of the past that is not known. */
const deadlinesOf = ({ deadlines = '[]' }: { deadlines?: string }) => `"deadlines":${deadlines},`;

/** The whole ticket. */
export const ticketAnswer = (principal: Principal, seen: SeenTicket) =>
  `${opened(seen.ticket)},"description":${JSON.stringify(seen.description)},${seen.isPast ? '' : deadlinesOf(seen)}${allowed(principal, seen)}`;

/** A page of texts of items. */
export const pageAnswer = ({ items, nextAfter }: Page<string>) => `{"items":[${items.join(',')}],"nextAfter":${JSON.stringify(nextAfter)}}`;

/** A page of a list. */
export function listAnswer(principal: Principal, { page = 1, pageSize, cursor }: ListQuery, { items, next, total, isExact }: TicketPage): Buffer {
  const moves = new Map<Status, string>();
  for (const { status } of items) if (!moves.has(status)) moves.set(status, allowed(principal, { status }));
  const listed = items.flatMap((item: ListedTicket) => [',', opened(item.ticket), ',"snippet":', JSON.stringify(item.snippet), ',', deadlinesOf(item), moves.get(item.status)!]);
  const rest = {
    page: cursor === undefined ? page : null,
    pageSize,
    total,
    totalIsExact: isExact,
    totalPages: Math.ceil(total / pageSize),
    nextCursor: next,
  };
  return bytesOf(['{"items":[', ...listed.slice(1), '],', JSON.stringify(rest).slice(1)]);
}

/** Texts one behind the other, each copied once: put together as one text they would be three times before they are sent, and each copy is garbage. */
function bytesOf(texts: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  let end = 0;
  for (const text of texts) end += bytes.write(text, end);
  return bytes;
}

/** `Link` header of a page (RFC 8288): public addresses with the query as it was asked, but for the place. */
export function listLinks(url: string, query: ListQuery, answer: TicketPage): string {
  const places = { first: [], ...(query.cursor === undefined && aroundPage(query, answer)), ...onward(query, answer) };
  const [path, asked] = withoutPlace(url);
  return Object.entries(places)
    .map(([rel, place]) => `<${[path, [...asked, ...place].join('&')].filter((part) => part !== '').join('?')}>; rel="${rel}"`)
    .join(', ');
}

/** Its parameter, or none: the beginning. */
type Place = string[];

function aroundPage({ page = 1, pageSize }: ListQuery, { total, isExact }: TicketPage): Record<string, Place> {
  const lastPage = Math.max(1, Math.ceil(total / pageSize));
  return {
    ...(page > 1 && { prev: [`page=${Math.min(page - 1, lastPage)}`] }),
    ...(isExact && { last: [`page=${lastPage}`] }),
  };
}

/** Where numbered pages end, the cursor goes on. */
function onward({ page = 1, pageSize, cursor }: ListQuery, { next }: TicketPage): Record<string, Place> {
  if (next === null) return {};
  const isNumbered = cursor === undefined && (page + 1) * pageSize <= maxListDepth;
  return { next: [isNumbered ? `page=${page + 1}` : `cursor=${next}`] };
}

/** The path, and what was asked for but the place. */
function withoutPlace(url: string): [string, Place] {
  const [path = '', query = ''] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  for (const name of ['page', 'cursor']) parameters.delete(name);
  return [path, parameters.size === 0 ? [] : [parameters.toString()]];
}
