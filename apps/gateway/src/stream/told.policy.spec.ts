import { describe, expect, it } from '@jest/globals';
import { ada, agent, grace } from '../../../../libs/contracts/testing/builders.js';
import type { FollowedEvent } from './org-feed.js';
import { toldOf } from './told.policy.js';

const text = JSON.stringify({ id: 't:2', ticketId: 't', version: 2, type: 'comment-added', at: '2026-01-01T00:00:00.000Z', actor: { type: 'member', id: 'ada', name: 'Ada' }, data: { comment: { body: 'secret' } } });
const creator = { type: 'member' as const, id: 'ada' };
const under = (assistantId: string | null, assignee: FollowedEvent['sight']['assignee'] = null) => ({ assistantId, assignee, createdBy: creator });
const event = (changes: Partial<FollowedEvent> = {}): FollowedEvent => ({ place: '1.1.x', ticketId: 't', version: 2, sight: under('billing-bot'), isNote: false, text, ...changes });

describe('what is told of an event', () => {
  it('is the event, for who sees its ticket after it', () => {
    expect([ada, grace, agent('billing-bot', 'tickets:read')].map((who) => toldOf(who, event()))).toEqual([text, text, text]);
    expect(toldOf(grace, event({ sight: under('tech-bot', { type: 'member', id: 'grace' }), before: under('tech-bot') }))).toBe(text);
  });

  it('is nothing, for who sees it neither after nor before', () => {
    expect(toldOf(grace, event({ sight: under('tech-bot') }))).toBeNull();
    expect(toldOf(grace, event({ sight: under('tech-bot'), before: under('other-bot') }))).toBeNull();
    expect(toldOf(agent('tech-bot', 'tickets:read'), event())).toBeNull();
  });

  it('is that it left, for who saw it before', () => {
    const left = toldOf(grace, event({ sight: under('tech-bot'), before: under('billing-bot') }));
    expect(JSON.parse(left!)).toEqual({ ticketId: 't', version: 2, type: 'left' });
    expect(toldOf(ada, event({ sight: under('tech-bot'), before: under('billing-bot') }))).toBe(text);
  });

  it('of a note is nothing but that there is one, for who may not read notes', () => {
    const hidden = JSON.parse(toldOf(agent('billing-bot', 'tickets:read'), event({ isNote: true }))!) as Record<string, unknown>;
    expect(Object.keys(hidden).sort()).toEqual(['actor', 'at', 'hidden', 'id', 'ticketId', 'type', 'version']);
    expect(hidden['hidden']).toBe(true);
    expect(toldOf(agent('billing-bot', 'tickets:read', 'notes:read'), event({ isNote: true }))).toBe(text);
  });
});
