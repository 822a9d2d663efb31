import { describe, expect, it } from '@jest/globals';
import type { AssignmentRule, RuleCondition, RuleStrategy } from '#contracts';
import { allot, freeFor, type Person, type Team } from './choice.policy.js';
import { isFor, type TicketFacts } from './condition.policy.js';

const facts = (changes: Partial<TicketFacts> = {}): TicketFacts => ({ priority: 'normal', tags: ['vip', 'invoice'], assistantId: 'billing-bot', channel: 'email', customFields: { plan: 'gold', seats: 3 }, requesterDomain: 'mail.example.org', ...changes });

describe('a condition', () => {
  it.each<[boolean, RuleCondition]>([
    [true, {}],
    [true, { assistantIds: ['tech-bot', 'billing-bot'], priorities: ['normal'], tags: ['vip', 'other'], channels: ['email'], requesterDomains: ['example.org'], customFields: { plan: 'gold' } }],
    [false, { assistantIds: ['tech-bot'] }],
    [false, { priorities: ['high'] }],
    [false, { tags: ['other'] }],
    [false, { channels: ['api'] }],
    [false, { customFields: { plan: 'gold', seats: '3' } }],
    [false, { customFields: { constructor: 'x' } }],
    [true, { requesterDomains: ['mail.example.org'] }],
    [false, { requesterDomains: ['ample.org'] }],
    [false, { priorities: ['normal'], tags: ['other'] }],
  ])('%s: %j', (expected, condition) => expect(isFor(condition, facts())).toBe(expected));

  it('on what a ticket has not does not hold', () => {
    expect(isFor({ assistantIds: ['billing-bot'] }, facts({ assistantId: null }))).toBe(false);
    expect(isFor({ requesterDomains: ['example.org'] }, facts({ requesterDomain: null }))).toBe(false);
  });
});

const rule = (id: string, strategy: RuleStrategy, condition: RuleCondition = {}): AssignmentRule => ({ id, name: `rule ${id}`, enabled: true, condition, strategy });
const person = (load: number, more: Partial<Person> = {}): Person => ({ name: 'Somebody', absence: undefined, capacity: null, load, ...more });
const team = (people: Record<string, Person>): Team => new Map(Object.entries(people).map(([id, one]) => [id.includes(':') ? id : `member:${id}`, one]));
const dealt = (strategy: RuleStrategy, people: Team, { former = null, last }: { former?: string | null; last?: string } = {}) =>
  allot({ facts: facts(), former }, [rule('r', strategy)], { team: people, turns: new Map(last === undefined ? [] : [['r', `member:${last}`]]) });
const inTurn = (...memberIds: string[]): RuleStrategy => ({ type: 'round-robin', memberIds });
const fewest = (...memberIds: string[]): RuleStrategy => ({ type: 'least-open', memberIds });

describe('a rule', () => {
  const three = team({ a: person(5), b: person(1), c: person(1) });

  it.each([[undefined, 'a'], ['a', 'b'], ['c', 'a'], ['gone', 'a']])('in turn: after %s comes %s', (last, expected) => {
    expect(dealt(inTurn('a', 'b', 'c'), three, last === undefined ? {} : { last })).toMatchObject({ outcome: 'assigned', to: { id: expected }, explanation: { why: 'next-in-turn' } });
  });

  it('in turn passes over who is not free', () => {
    const some = team({ a: person(0), b: person(0, { absence: 'away' }), c: person(2, { capacity: 2 }) });
    expect(dealt(inTurn('a', 'b', 'c', 'd'), some, { last: 'a' })).toMatchObject({
      to: { id: 'a' },
      explanation: { candidates: [{ id: 'a', load: 0 }, { id: 'b', whyNot: 'away' }, { id: 'c', load: 2, whyNot: 'at-capacity' }, { id: 'd', whyNot: 'unknown' }] },
    });
  });

  it('of the fewest takes the first of equals', () => expect(dealt(fewest('a', 'b', 'c'), three)).toMatchObject({ to: { id: 'b' }, explanation: { why: 'fewest-open' } }));
  it('of the fewest takes nobody who is not free', () => expect(dealt(fewest('a', 'b'), team({ a: person(9), b: person(0, { absence: 'outside-working-hours' }) }))).toMatchObject({ to: { id: 'a' } }));

  it('waits where nobody is free', () => {
    const nobody = team({ a: person(0, { absence: 'away' }) });
    expect(dealt(inTurn('a'), nobody)).toMatchObject({ outcome: 'waits', candidates: [{ id: 'a', whyNot: 'away' }] });
    expect(freeFor(rule('r', inTurn('a')), nobody)).toEqual([]);
    expect(freeFor(rule('r', inTurn('a', 'b')), team({ b: person(0, { capacity: 1 }) }))).toEqual(['member:b']);
  });

  it('gives a ticket to nobody who gave it back', () => {
    expect(dealt(inTurn('a', 'b'), three, { former: 'member:a' })).toMatchObject({ to: { id: 'b' } });
    expect(dealt({ type: 'fixed', assignee: { type: 'member', id: 'a' } }, three, { former: 'member:a' })).toMatchObject({ outcome: 'waits', candidates: [{ whyNot: 'had-it' }] });
  });

  it('that names somebody gives it to them at all times, while there is such a person or assistant', () => {
    const away = team({ a: person(9, { absence: 'away', capacity: 0 }), 'agent:bot': person(0) });
    expect(dealt({ type: 'fixed', assignee: { type: 'member', id: 'a' } }, away)).toMatchObject({ to: { type: 'member', id: 'a' }, explanation: { why: 'named' } });
    expect(dealt({ type: 'fixed', assignee: { type: 'agent', id: 'bot' } }, away)).toMatchObject({ to: { type: 'agent', id: 'bot' } });
    expect(dealt({ type: 'fixed', assignee: { type: 'agent', id: 'a' } }, away)).toMatchObject({ outcome: 'waits' });
  });

  it('is alone where it is the first: a later one takes nothing that waits for it', () => {
    const rules = [rule('1', inTurn('x'), { priorities: ['high'] }), rule('2', inTurn('away')), rule('3', inTurn('a'))];
    const people = team({ away: person(0, { absence: 'away' }), a: person(0) });
    expect(allot({ facts: facts(), former: null }, rules, { team: people, turns: new Map() })).toMatchObject({ outcome: 'waits', rule: { id: '2' } });
    expect(allot({ facts: facts(), former: null }, rules.slice(0, 1), { team: people, turns: new Map() })).toEqual({ outcome: 'unmatched' });
  });
});
