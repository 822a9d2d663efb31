import { describe, expect, it } from '@jest/globals';
import type { Actor } from '#contracts';
import { course } from '../../testing/course.js';
import { askerOf, concernedBy, excerptOf, isOwn, mayHear, writingIn } from './notice.policy.js';

const person = (id: string): Actor & { type: 'member' } => ({ type: 'member', id, name: id });
const agent = { type: 'agent', id: 'billing-bot', name: 'Billing' } as const;
const of = (story: ReturnType<typeof course>) => story.events.at(-1)!;
const kinds = (story: ReturnType<typeof course>) => Object.fromEntries([...concernedBy(of(story))].map(([id, some]) => [id, some.map(({ kind }) => kind)]));
const opened = course().by(person('ada')).created({ assignee: person('grace'), createdBy: person('ada') });

describe('whom an event concerns', () => {
  it('is who gets the ticket, and nobody where that is an agent', () => {
    expect(kinds(opened)).toEqual({ grace: ['assigned'] });
    expect(kinds(opened.assigned(person('linus')))).toEqual({ linus: ['assigned'] });
    expect([kinds(opened.assigned(agent)), kinds(opened.assigned(null))]).toEqual([{}, {}]);
  });

  it('is whose ticket the requester writes on', () => {
    expect(kinds(opened.said())).toEqual({ grace: ['requester-replied'] });
    expect([kinds(opened.said('assistant')), kinds(opened.assigned(null).said())]).toEqual([{}, {}]);
  });

  it('is whose ticket moves, and who opened it', () => {
    expect(kinds(opened.moved('pending'))).toEqual({ grace: ['status'], ada: ['status'] });
    expect(kinds(opened.assigned(person('ada')).moved('pending'))).toEqual({ ada: ['status'] });
  });

  it('is nobody for who did it, or had it done', () => {
    const moved = of(opened.by(person('grace')).moved('pending'));
    expect([isOwn(moved, 'grace'), isOwn(moved, 'ada'), isOwn({ actor: agent, onBehalfOf: person('ada') }, 'ada'), isOwn({ actor: { ...agent, id: 'ada' } }, 'ada')]).toEqual([true, false, true, false]);
  });
});

describe('what people may be mentioned in', () => {
  it('is what is said for the team, and what members describe', () => {
    expect(writingIn(of(opened.commented('note', '@ada')))?.happening).toMatchObject({ isNote: true, data: { where: 'note', excerpt: '@ada' } });
    expect(writingIn(of(opened.moved('pending', 'ask @ada')))?.text).toBe('ask @ada');
    expect(writingIn(of(course().by(person('ada')).created({ description: '@grace' })))?.text).toBe('@grace');
    expect([writingIn(of(course().by(agent).created({ description: '@grace' }))), writingIn(of(opened.said('user', '@grace')))]).toEqual([undefined, undefined]);
  });

  it('is shown shortened, on one line', () => {
    expect(excerptOf(`a\n\n b${'\u{1f600}'.repeat(400)}`)).toBe(`a b${'\u{1f600}'.repeat(277)}`);
  });
});

describe('who may hear of it', () => {
  const sight = { assistantId: 'billing-bot', assignee: null, createdBy: person('ada') };
  const asker = (id: string, role: 'admin' | 'member', memberIds: string[]) => askerOf({ id, name: id, email: '', role }, { id: 'billing-bot', memberIds });

  it('is who sees the ticket', () => {
    const may = [asker('grace', 'member', ['grace']), asker('linus', 'member', ['grace']), asker('ada', 'member', []), asker('eve', 'admin', [])].map((one) => mayHear(one, sight, true));
    expect(may).toEqual([true, false, true, true]);
  });

  it('is who administers the organisation, of its own affairs', () => {
    expect([asker('eve', 'admin', []), asker('ada', 'member', [])].map((one) => mayHear(one, null, false))).toEqual([true, false]);
  });

  it('is nobody who may not read notes, of a note', () => {
    const bot = { actor: agent, access: { assistantIds: ['billing-bot'], scopes: ['tickets:read' as const] } };
    expect([mayHear(bot, sight, false), mayHear(bot, sight, true)]).toEqual([true, false]);
  });
});
