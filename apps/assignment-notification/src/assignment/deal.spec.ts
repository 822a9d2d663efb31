import { describe, expect, it } from '@jest/globals';
import type { Assignee, AssignmentRule, Availability, KnownMember } from '#contracts';
import type { People } from '../directory/directory.store.js';
import { keyOf } from './choice.policy.js';
import { deal, earlier, nextReturn } from './deal.js';
import { teamOf } from './team.js';
import type { FoundTicket } from './tracked-tickets.store.js';

const at = Date.parse('2026-01-05T10:00:00Z'); // a Monday
const known = (id: string, availability: Partial<Availability> = {}): [string, KnownMember] => [id, { id, name: id.toUpperCase(), email: '', role: 'member', availability: { timeZone: 'UTC', workingHours: null, away: null, capacity: null, ...availability } }];
const people = (...members: [string, KnownMember][]): People => ({ members: new Map(members), assistants: new Map([['bot', { id: 'bot', name: 'Bot', memberIds: [] }]]) });
const rule = (memberIds: string[], more: Partial<AssignmentRule> = {}): AssignmentRule => ({ id: '7a1d5c1e-6f0c-4f0e-9a53-3b1f6a1c9d11', name: 'In turn', enabled: true, condition: {}, strategy: { type: 'round-robin', memberIds }, ...more });
const grace: Assignee = { type: 'member', id: 'grace', name: 'Grace' };
const ticket = (ticketId: string, need: Partial<FoundTicket['need']> = {}): FoundTicket => ({
  orgId: 'acme',
  ticketId,
  version: 3,
  facts: { priority: 'normal', tags: [], assistantId: null, channel: 'api', customFields: {}, requesterDomain: null },
  need: { version: 1, at: '2026-01-05T09:00:00.000Z', holder: null, former: null, state: 'fresh', ...need },
});
const dealt = (tickets: FoundTicket[], rules: AssignmentRule[], there: People) => deal(tickets, { rules, edition: 7, holders: there, team: teamOf(rules, there, { at, loads: new Map() }), turns: new Map(), at });
const held = (holder: Assignee) => ticket('t', { holder, former: keyOf(holder) });

describe('tickets that are dealt out', () => {
  it('are each given by the turns and loads that those before them have left', () => {
    const { findings, turns } = dealt([ticket('1'), ticket('2'), ticket('3'), ticket('4')], [rule(['a', 'b'])], people(known('a', { capacity: 2 }), known('b', { capacity: 1 })));
    expect(findings.map((one) => (one.state === 'chosen' ? one.choice.to.id : one.state))).toEqual(['a', 'b', 'a', 'waits']);
    expect([...turns.values()]).toEqual(['member:a']);
  });

  it('make the same command whenever they are dealt out for the same need and rule, and say whose they were', () => {
    const choice = (version: number) => {
      const [finding] = dealt([ticket('t', { version, holder: grace, former: 'member:grace' })], [rule(['a'])], people(known('a'))).findings;
      return finding?.state === 'chosen' ? finding.choice : undefined;
    };
    expect(choice(1)!.commandId).toBe(choice(1)!.commandId);
    expect(choice(1)!.commandId).not.toBe(choice(2)!.commandId);
    expect(JSON.parse(choice(1)!.command)).toMatchObject({ data: { to: { id: 'a' }, reason: 'rule', ifAssignee: { type: 'member', id: 'grace' } } });
  });

  it('are looked at again by a newer edition of the rules, unless somebody has them whom none relieves', () => {
    expect(dealt([ticket('t')], [], people()).findings).toMatchObject([{ state: 'idle', edition: 7 }]);
    expect(dealt([ticket('t')], [rule(['gone'])], people()).findings).toMatchObject([{ state: 'waits', edition: 7 }]);
    expect(dealt([held(grace)], [], people()).findings[0]).not.toHaveProperty('edition');
  });
});

describe('a reopened ticket', () => {
  const relief = [rule(['a'])];
  it.each<[string, string, [string, KnownMember][]]>([
    ['stays with who is there', 'idle', [known('grace')]],
    ['stays with who is there, if not at this hour and with no room for more', 'idle', [known('grace', { workingHours: [], capacity: 0 })]],
    ['stays with who is back by now', 'idle', [known('grace', { away: { until: '2026-01-05T10:00:00.000Z' } })]],
    ['is taken from who is away', 'chosen', [known('grace', { away: { until: '2026-01-05T10:00:00.001Z' } })]],
    ['is taken from who left', 'chosen', []],
  ])('%s', (_, state, members) => expect(dealt([held(grace)], relief, people(...members, known('a'))).findings[0]!.state).toBe(state));

  it('stays with an assistant while there is one', () => {
    const of = (id: string) => dealt([held({ type: 'agent', id, name: id })], relief, people(known('a'))).findings[0]!.state;
    expect([of('bot'), of('gone')]).toEqual(['idle', 'chosen']);
  });
});

describe('when to look again', () => {
  const there = people(known('a', { away: { until: '2026-01-06T08:00:00.000Z' } }), known('b', { workingHours: [{ days: ['mon'], from: '14:00', to: '18:00' }] }), known('c', { away: { until: null } }));
  const next = (...memberIds: string[]) => nextReturn([rule(memberIds)], there, { awaited: new Set([rule([]).id]), at })?.toISOString();

  it('is when the first comes back of those whom tickets wait for', () => {
    expect([next('a'), next('a', 'b'), next('c')]).toEqual(['2026-01-06T08:00:00.000Z', '2026-01-05T14:00:00.000Z', undefined]);
    expect(nextReturn([rule(['a'])], there, { awaited: new Set(), at })).toBeNull();
  });

  it('is the earlier of two moments, where there are any', () => {
    const [one, other] = [new Date(1), new Date(2)];
    expect([earlier(one, other), earlier(other, one), earlier(null, one), earlier(one, null), earlier(null, null)]).toEqual([one, one, one, one, null]);
  });
});
