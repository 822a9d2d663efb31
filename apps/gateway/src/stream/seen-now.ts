import { randomUUID } from 'node:crypto';
import type { Ticket } from '#contracts';
import type { Queries } from '../queries.js';
import type { SeenNow } from './deadline-news.js';
import { gatewayOf } from './org-feed.js';

/** What decides who sees a ticket now; undefined where nobody does. @throws ProblemError where query-search does not answer */
export async function seenNow(queries: Pick<Queries, 'ask'>, orgId: string, ticketId: string): Promise<SeenNow | undefined> {
  const { status, body } = await queries.ask({ principal: gatewayOf(orgId), path: `/v1/tickets/${ticketId}`, requestId: randomUUID() });
  if (status !== 200) return undefined;
  const { version, assistantId, assignee, createdBy } = JSON.parse(body.toString()) as Ticket;
  return { version, sight: { assistantId, assignee, createdBy } };
}
