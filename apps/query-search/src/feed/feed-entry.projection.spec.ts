import { describe, expect, it } from '@jest/globals';
import type { TicketEvent } from '#contracts';
import { Story } from '../../testing/stories.js';
import { rowId } from '../ticket-view.projection.js';
import { candidates, entryOf } from './feed-entry.projection.js';

const grace = { type: 'member' as const, id: 'grace', name: 'Grace' };
const placed = (events: readonly TicketEvent[], from = 0) => events.map((event, i) => ({ event, partition: 0, offset: from + i }));
const told = (found: ReturnType<typeof candidates>, orgId = 'acme') => (found.get(orgId) ?? []).map(({ event, offset, isDoubtful }) => [event.version, offset, isDoubtful]);

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
  const view = (version: number) => new Map([[`acme/${one.id}`, version]]);
  const rows = (...versions: number[]) => new Set(versions.map((version) => rowId('acme', one.id, version)));

  it('are those that have neither row nor view, by organisation, in the order of their records', () => {
    const found = candidates(placed([...one.events, ...twin.events]), { known: view(1), rows: rows(1) });
    expect([told(found), told(found, 'globex')]).toEqual([[[2, 1, false], [3, 2, false]], [[1, 3, false]]]);
  });

  it('are not those that have both, nor those that come again in the round', () => {
    expect(candidates(placed(one.events), { known: view(3), rows: rows(1, 2, 3) }).size).toBe(0);
    expect(told(candidates(placed([...one.events, ...one.events.slice(1)]), { known: new Map(), rows: new Set() }))).toEqual([[1, 0, false], [2, 1, false], [3, 2, false]]);
  });

  it('are looked for when they have a row alone, left by a round that died, or a view alone, since they come late', () => {
    expect(told(candidates(placed(one.events), { known: view(1), rows: rows(1, 2) }))).toEqual([[2, 1, true], [3, 2, false]]);
    expect(told(candidates(placed(one.events), { known: view(3), rows: rows(1, 3) }))).toEqual([[2, 1, true]]);
  });
});
