import { describe, expect, it } from '@jest/globals';
import { ticketOf } from '../testing/builders.js';
import { exportColumns, ExportQuery, ListQuery } from './index.js';

describe('an export', () => {
  it('is asked for as a list is, but for pages', () => {
    const asked = { status: 'in_progress', tag: 'a,b', q: 'x', createdTo: '2026-01-01', sort: 'number' };
    const { page: _page, pageSize: _pageSize, cursor: _cursor, ...list } = ListQuery.parse(asked);
    expect(ExportQuery.parse(asked)).toEqual({ ...list, format: 'csv' });
    expect(Object.keys(ExportQuery.shape).sort()).toEqual([...Object.keys(ListQuery.shape).filter((name) => !['page', 'pageSize', 'cursor'].includes(name)), 'format'].sort());
    expect(ExportQuery.parse({ format: 'ndjson' })).toEqual({ format: 'ndjson', sort: '-createdAt' });
  });

  it.each([{ format: 'xml' }, { format: '' }, { format: ['csv', 'csv'] }, { page: '1' }, { pageSize: '5' }, { cursor: 'x' }, { createdFrom: '2026-01-02', createdTo: '2026-01-01' }, { 'q[$ne]': '' }])('is not asked for with %j', (query) =>
    expect(ExportQuery.safeParse(query).success).toBe(false));

  it('has these columns in CSV', () =>
    expect(Object.keys(exportColumns).join()).toBe(
      'number,id,title,description,status,priority,assistantId,requesterId,requesterName,requesterEmail,assigneeType,assigneeId,assigneeName,tags,customFields,channel,createdByType,createdById,createdByName,externalId,followUpOf,createdAt,updatedAt,firstRepliedAt,resolvedAt,closedAt,commentCount,version',
    ));

  it('tells people, tags and fields in a cell each', () => {
    const ticket = ticketOf({ requester: { id: 'c1', email: 'c@d.e' }, assignee: { type: 'agent', id: 'bot', name: 'B' }, tags: ['a', 'b c'], customFields: { plan: 'pro', seats: 3 } });
    const cells = Object.fromEntries(Object.entries(exportColumns).map(([name, cell]) => [name, cell(ticket)]));
    expect(cells).toMatchObject({ number: 1042, requesterId: 'c1', requesterName: undefined, requesterEmail: 'c@d.e', assigneeType: 'agent', assigneeId: 'bot', assigneeName: 'B', tags: 'a,b c', customFields: '{"plan":"pro","seats":3}', createdById: 'ada', followUpOf: null, version: 1 });
  });
});
