import { describe, expect, it } from '@jest/globals';
import { ada, agent, grace } from '../../../../libs/contracts/testing/builders.js';
import type { FollowedEvent } from './org-feed.js';
import { toldOf, wordsOf } from './told.policy.js';

const text = JSON.stringify({ id: 't:2', ticketId: 't', version: 2, type: 'comment-added', at: '2026-01-01T00:00:00.000Z', actor: { type: 'member', id: 'ada', name: 'Ada' }, data: { comment: { body: 'secret' } } });
const creator = { type: 'member' as const, id: 'ada' };
const under = (assistantId: string | null, assignee: FollowedEvent['sight']['assignee'] = null) => ({ assistantId, assignee, createdBy: creator });
const event = (changes: Partial<FollowedEvent> = {}): FollowedEvent => ({ place: '1.1.x', order: [1, 1], ticketId: 't', version: 2, sight: under('billing-bot'), isNote: false, text, ...changes });

describe('what is told of an event', () => {
  it('is the event, for who sees its ticket after it', () => {
    expect([ada, grace, agent('billing-bot', 'tickets:read')].map((who) => toldOf(who, event()))).toEqual(['event', 'event', 'event']);
    expect(toldOf(grace, event({ sight: under('tech-bot', { type: 'member', id: 'grace' }), before: under('tech-bot') }))).toBe('event');
    expect(wordsOf(event(), 'event')).toBe(text);
  });

  it('is nothing, for who sees it neither after nor before', () => {
    expect(toldOf(grace, event({ sight: under('tech-bot') }))).toBe('nothing');
    expect(toldOf(grace, event({ sight: under('tech-bot'), before: under('other-bot') }))).toBe('nothing');
    expect(toldOf(agent('tech-bot', 'tickets:read'), event())).toBe('nothing');
  });

  it('is that it left, for who saw it before', () => {
    const moved = event({ sight: under('tech-bot'), before: under('billing-bot') });
    expect([toldOf(grace, moved), toldOf(ada, moved)]).toEqual(['left', 'event']);
    expect(JSON.parse(wordsOf(moved, 'left'))).toEqual({ ticketId: 't', version: 2, type: 'left' });
  });

  it('of a note is nothing but that there is one, for who may not read notes', () => {
    const note = event({ isNote: true });
    expect([agent('billing-bot', 'tickets:read'), agent('billing-bot', 'tickets:read', 'notes:read')].map((who) => toldOf(who, note))).toEqual(['note', 'event']);
    const hidden = JSON.parse(wordsOf(note, 'note')) as Record<string, unknown>;
    expect(Object.keys(hidden).sort()).toEqual(['actor', 'at', 'hidden', 'id', 'ticketId', 'type', 'version']);
    expect(hidden['hidden']).toBe(true);
  });
});
