import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { DeadlineNews, TicketEvent } from '#contracts';
import { goldens } from '../../../libs/contracts/testing/golden.js';
import { deadlinesAfter } from './deadlines.projection.js';
import { entryAfter } from './search/search-entry.projection.js';
import { currentShape } from './shape.js';
import { addCreated, addResolved, emptyCell, factsOf, storedCell } from './stats/cell.projection.js';
import { rowOf, viewOf } from './ticket-view.projection.js';

const types = ['created', 'details-updated', 'status-changed', 'comment-added', 'assignee-changed', 'conversation-appended', 'tool-call-recorded', 'reply-delivery-reported', 'deleted', 'restored'];
const valueOf = (type: string) => ({ type, ...(goldens.find(({ file }) => file === `${type}.json`)!.value as object) });

function documentsOf(event: TicketEvent): unknown[] {
  const [view, cell] = [viewOf(event), emptyCell()];
  addCreated(cell, factsOf(view));
  addResolved(cell, 0);
  return [view, rowOf(event), entryAfter(undefined, [event]), storedCell(new Map([['part', cell]]))];
}

describe('the shape of a read model', () => {
  // Another digest: what is made of events has changed. Raise `currentShape` with it, so that read models that were made before are built anew.
  it('stands for what is made of events', () => {
    const documents = [...types.map((type) => documentsOf(valueOf(`ticket.${type}.v1`) as unknown as TicketEvent)), deadlinesAfter([valueOf('ticket.deadlines-changed.v1') as unknown as DeadlineNews])];
    const digest = createHash('sha256').update(JSON.stringify(documents)).digest('base64url').slice(0, 16);
    expect([currentShape, digest]).toEqual([3, 'GtkepBdmAD15B7t4']);
  });
});
