import { describe, expect, it } from '@jest/globals';
import type { TicketEvent } from '#contracts';
import { Story } from '../../testing/stories.js';
import { entryOf, freshEvents } from './feed-entry.projection.js';

const grace = { type: 'member' as const, id: 'grace', name: 'Grace' };
const placed = (events: readonly TicketEvent[], from = 0) => events.map((event, i) => ({ event, partition: 0, offset: from + i }));
const versions = (fresh: ReturnType<typeof freshEvents>, orgId = 'acme') => (fresh.get(orgId) ?? []).map(({ event, offset }) => [event.version, offset]);

describe('the entry of an event', () => {
  const story = new Story().create({ title: 'Fire', assistantId: 'billing-bot' }).comment('hm').happens('ticket.assign.v1', { to: grace }).happens('ticket.assign.v1', { to: null }).happens('ticket.update-details.v1', { assistantId: 'tech-bot', title: 'Smoke' });
  const [created, comment, assigned, released, moved] = story.events.map(entryOf);

  it('says who sees the ticket after it', () => {
    expect([created, assigned].map((entry) => entry!.sight)).toEqual([
      { assistantId: 'billing-bot', assignee: null, createdBy: { type: 'member', id: 'ada' } },
      { assistantId: 'billing-bot', assignee: { type: 'member', id: 'grace' }, createdBy: { type: 'member', id: 'ada' } },
    ]);
  });

  it('says who saw it before, where that changed', () => {
    expect([created, comment, assigned, released, moved].map((entry) => entry!.before && [entry!.before.assistantId, entry!.before.assignee?.id])).toEqual([
      undefined,
      undefined,
      ['billing-bot', undefined],
      ['billing-bot', 'grace'],
      ['billing-bot', undefined],
    ]);
  });
});

describe('events that may be new to the feed', () => {
  const one = new Story().create({ title: 'one' }).comment('a').comment('b');
  const twin = new Story({ orgId: 'globex' }).create({ title: 'twin' });
  const id = `acme/${one.id}`;

  it('are those beyond the versions that the views had, by organisation, in the order of their records', () => {
    const fresh = freshEvents(placed([...one.events, ...twin.events]), new Map([[id, 1]]));
    expect([versions(fresh), versions(fresh, 'globex')]).toEqual([[[2, 1], [3, 2]], [[1, 3]]]);
  });

  it('are not those that come again, in this round or after it', () => {
    expect(versions(freshEvents(placed([...one.events, ...one.events.slice(1)]), new Map()))).toEqual([[1, 0], [2, 1], [3, 2]]);
    expect(freshEvents(placed(one.events), new Map([[id, 3]])).size).toBe(0);
  });
});
