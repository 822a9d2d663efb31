import type { Status } from '#contracts';

/** The lifecycle (contract section 2): from each status, where a ticket may go. */
export const transitions: Readonly<Record<Status, readonly Status[]>> = {
  open: ['pending'],
  pending: ['open', 'resolved'],
  resolved: ['open', 'closed'],
  closed: [],
};
