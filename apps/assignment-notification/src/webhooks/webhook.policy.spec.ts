import { describe, expect, it } from '@jest/globals';
import { WebhookEvent, type TicketEvent } from '#contracts';
import { course } from '../../testing/course.js';
import type { StoredWebhook } from './webhook-book.store.js';
import { isTold, messageOf } from './webhook.policy.js';

const at = '2026-01-05T10:00:00.000Z';
const webhook = (changes: Partial<StoredWebhook> = {}): StoredWebhook => ({ id: '', name: '', url: '', enabled: true, notes: false, exceptActors: [], createdAt: at, updatedAt: at, switchedOff: null, secrets: [], ...changes });
const comment = (kind: 'comment' | 'note' | 'reply') => ({ id: 'c', kind, body: 'hidden?', author: { type: 'member' as const, id: 'ada', name: 'Ada' }, at, version: 2 });
const opened = (assistantId: string | null = 'billing-bot') => course().created({ assistantId }).events[0]!;
const said = (kind: 'comment' | 'note' | 'reply'): TicketEvent => ({ ...opened(), type: 'ticket.comment-added.v1', data: { comment: comment(kind) } });

describe('a webhook is told', () => {
  it.each<[string, Partial<StoredWebhook>, TicketEvent, boolean]>([
    ['of everything', {}, opened(), true],
    ['of tickets without an assistant, where it is for all', {}, opened(null), true],
    ['of nothing while it is off', { enabled: false }, opened(), false],
    ['of nothing from before there was it', { createdAt: '2026-01-05T10:00:00.001Z' }, opened(), false],
    ['of a type it is for', { types: ['created'] }, opened(), true],
    ['of no other type', { types: ['status-changed'] }, opened(), false],
    ['of an assistant it is for', { assistantIds: ['tech-bot', 'billing-bot'] }, opened(), true],
    ['of no other assistant', { assistantIds: ['tech-bot'] }, opened(), false],
    ['of no ticket without an assistant, where it is for some', { assistantIds: ['tech-bot'] }, opened(null), false],
    ['of comments', {}, said('comment'), true],
    ['of replies', {}, said('reply'), true],
    ['of no note', {}, said('note'), false],
    ['of no note, by its type neither', { types: ['comment-added'] }, said('note'), false],
    ['of notes where it may', { notes: true }, said('note'), true],
    ['not of what its own system did', { exceptActors: [{ type: 'system', id: 'spec' }] }, opened(), false],
    ['of what somebody of the same id did', { exceptActors: [{ type: 'agent', id: 'spec' }] }, opened(), true],
  ])('%s', (_, changes, event, told) => {
    expect(isTold(webhook(changes), event)).toBe(told);
  });

  it('by what the ticket is after an event', () => {
    const [, moved] = course().created({ assistantId: 'billing-bot' }).moved('pending').events;
    const away = { ...moved!, ticket: { ...moved!.ticket, assistantId: 'tech-bot' } };
    expect([isTold(webhook({ assistantIds: ['tech-bot'] }), away), isTold(webhook({ assistantIds: ['billing-bot'] }), away)]).toEqual([true, false]);
  });

  it('what the reference says, and no more', () => {
    const event = said('reply');
    const message = messageOf(event);
    expect(WebhookEvent.parse(message)).toEqual(message);
    expect(Object.keys(message)).toEqual(['id', 'ticketId', 'version', 'type', 'at', 'actor', 'data', 'ticket']);
  });
});
