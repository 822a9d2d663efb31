import { z } from 'zod';
import { single } from './parameters.js';
import { filters, inOrder } from './ticket.filters.js';
import { ListQuery } from './ticket.views.js';
import type { Ticket } from './ticket.js';

/** What an export can be, with its media type. */
export const exportTypes = {
  /** RFC 4180, UTF-8 with a byte order mark, a header line, the columns below. */
  csv: 'text/csv; charset=utf-8; header=present',
  /** A ticket a line: as lists tell it, but with its whole description instead of the snippet, and without `allowedTransitions` and `deadlines`. */
  ndjson: 'application/x-ndjson; charset=utf-8',
} as const;
export type ExportFormat = keyof typeof exportTypes;

/** Query of `GET /v1/tickets/export`: the list's filters and sort; all of it, so no page. */
export const ExportQuery = z
  .strictObject({
    ...filters,
    status: ListQuery.shape.status,
    sort: ListQuery.shape.sort,
    format: single.pipe(z.enum(Object.keys(exportTypes) as ExportFormat[])).default('csv'),
  })
  .check(inOrder);
export type ExportQuery = z.infer<typeof ExportQuery>;

/**
 * The columns of a CSV export in their order: name and cell. What is null is an empty cell; times are ISO instants (UTC). A text that a
 * spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return) has an apostrophe before it; numbers are ours and stay numbers.
 */
export const exportColumns = {
  number: ({ number }) => number,
  id: ({ id }) => id,
  title: ({ title }) => title,
  description: ({ description }) => description,
  status: ({ status }) => status,
  priority: ({ priority }) => priority,
  assistantId: ({ assistantId }) => assistantId,
  requesterId: ({ requester }) => requester?.id,
  requesterName: ({ requester }) => requester?.name,
  requesterEmail: ({ requester }) => requester?.email,
  /** `member` or `agent`. */
  assigneeType: ({ assignee }) => assignee?.type,
  assigneeId: ({ assignee }) => assignee?.id,
  assigneeName: ({ assignee }) => assignee?.name,
  /** All tags, commas between them. */
  tags: ({ tags }) => tags.join(','),
  /** A JSON object. */
  customFields: ({ customFields }) => JSON.stringify(customFields),
  channel: ({ channel }) => channel,
  /** `member`, `agent` or `system`. */
  createdByType: ({ createdBy }) => createdBy.type,
  createdById: ({ createdBy }) => createdBy.id,
  createdByName: ({ createdBy }) => createdBy.name,
  externalId: ({ externalId }) => externalId,
  /** Id of the ticket that it follows up. */
  followUpOf: ({ followUpOf }) => followUpOf,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
  firstRepliedAt: ({ firstRepliedAt }) => firstRepliedAt,
  resolvedAt: ({ resolvedAt }) => resolvedAt,
  closedAt: ({ closedAt }) => closedAt,
  /** Comments and replies; notes are not counted. */
  commentCount: ({ commentCount }) => commentCount,
  version: ({ version }) => version,
} as const satisfies Record<string, (ticket: Ticket) => string | number | null | undefined>;
