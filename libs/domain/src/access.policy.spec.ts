import { describe, expect, it } from '@jest/globals';
import type { Principal, Scope, Ticket } from '#contracts';
import { ada, agent, assigneeOf, billingBot, everyScope, grace, linus, ticketOf } from '../../contracts/testing/builders.js';
import { lacks, mayFileUnder, sees, sightOf, type Action } from './index.js';

const without = (scope: Scope) => agent('billing-bot', ...everyScope.filter((other) => other !== scope));
/** What the inbound door makes of an outside system: neither role nor scopes. */
const system: Principal = { orgId: 'acme', actor: { type: 'system', id: 'erp', name: 'erp' }, access: { assistantIds: ['billing-bot'] } };

/** Contract section 6, a line per action: the scope an agent needs, or the role that people need. */
const actions: [Action, { scope: Scope } | { role: 'admin' | 'member' }][] = [
  ['read', { scope: 'tickets:read' }],
  ['create', { scope: 'tickets:write' }],
  ['edit', { scope: 'tickets:write' }],
  ['comment', { scope: 'tickets:write' }],
  ['note', { scope: 'notes:write' }],
  ['read-notes', { scope: 'notes:read' }],
  ['reply', { scope: 'replies:write' }],
  ['transition', { scope: 'tickets:transition' }],
  ['assign', { scope: 'tickets:assign' }],
  ['delete', { role: 'member' }],
  ['restore', { role: 'admin' }],
  ['report-delivery', { role: 'admin' }],
  ['administer', { role: 'admin' }],
];

describe('access: actions', () => {
  it.each(actions)('an administrator may %s', (action) => expect(lacks(ada, action)).toBeNull());

  it.each(actions)('a member may %s unless it takes an administrator', (action, need) =>
    expect(lacks(grace, action)).toBe('role' in need && need.role === 'admin' ? 'role admin' : null));

  it.each(actions)('an agent may %s with the one scope for it and never without', (action, need) => {
    if ('role' in need) return expect(lacks(billingBot, action)).toBe(`role ${need.role}`);
    expect(lacks(agent('billing-bot', need.scope), action)).toBeNull();
    expect(lacks(without(need.scope), action)).toBe(`scope ${need.scope}`);
  });

  it.each(actions)('who has neither role nor scopes may not %s', (action) => expect(lacks(agent('billing-bot'), action)).not.toBeNull());

  it.each(actions)('an outside system may %s, since its door knows what it was granted, but never what is an administrator’s business', (action) =>
    expect(lacks(system, action)).toBe(action === 'administer' ? 'role admin' : null));
});

describe('access: sight', () => {
  const tickets: [string, Partial<Ticket>, { ada: boolean; grace: boolean; billingBot: boolean; system: boolean }][] = [
    ['of an assistant of theirs', { assistantId: 'billing-bot' }, { ada: true, grace: true, billingBot: true, system: true }],
    ['of another assistant', { assistantId: 'tech-bot' }, { ada: true, grace: false, billingBot: false, system: false }],
    ['of no assistant', { assistantId: null }, { ada: true, grace: false, billingBot: false, system: false }],
    ['created by the member', { assistantId: 'tech-bot', createdBy: grace.actor }, { ada: true, grace: true, billingBot: false, system: false }],
    ['created by the agent', { assistantId: 'tech-bot', createdBy: billingBot.actor }, { ada: true, grace: false, billingBot: false, system: false }],
    ['assigned to the member', { assistantId: 'tech-bot', assignee: assigneeOf(grace) }, { ada: true, grace: true, billingBot: false, system: false }],
    ['assigned to the agent', { assistantId: 'tech-bot', assignee: assigneeOf(billingBot) }, { ada: true, grace: false, billingBot: true, system: false }],
    ['assigned to an agent of the member’s id', { assignee: { type: 'agent', id: 'grace', name: '' } }, { ada: true, grace: false, billingBot: false, system: false }],
    ['created by an agent of the member’s id', { createdBy: { type: 'agent', id: 'grace', name: '' } }, { ada: true, grace: false, billingBot: false, system: false }],
    ['assigned to a member of the agent’s id', { assignee: { type: 'member', id: 'billing-bot', name: '' } }, { ada: true, grace: false, billingBot: false, system: false }],
    ['created by the system', { assistantId: 'tech-bot', createdBy: system.actor }, { ada: true, grace: false, billingBot: false, system: true }],
    ['created by a member of the system’s id', { createdBy: { type: 'member', id: 'erp', name: '' } }, { ada: true, grace: false, billingBot: false, system: false }],
    ['of an assistant that has the member’s id', { assistantId: 'grace' }, { ada: true, grace: false, billingBot: false, system: false }],
  ];
  it.each(tickets)('of a ticket %s is as the contract says', (_, ticket, expected) => {
    const seen = { ada: sees(ada, ticketOf(ticket)), grace: sees(grace, ticketOf(ticket)), billingBot: sees(billingBot, ticketOf(ticket)), system: sees(system, ticketOf(ticket)) };
    expect(seen).toEqual({ ...expected });
  });

  it('of queries says the same as the single check', () => {
    expect(sightOf(ada)).toEqual({ all: true });
    expect(sightOf(grace)).toEqual({ all: false, assistantIds: ['billing-bot'], assignee: { type: 'member', id: 'grace' }, createdBy: { type: 'member', id: 'grace' } });
    expect(sightOf(billingBot)).toEqual({ all: false, assistantIds: ['billing-bot'], assignee: { type: 'agent', id: 'billing-bot' } });
  });

  it('takes a member’s role for nothing more than it is', () => expect(sees({ ...linus, access: { ...linus.access, assistantIds: [] } }, ticketOf({ assistantId: 'tech-bot' }))).toBe(false));
});

describe('access: filing', () => {
  it.each([
    ['an administrator', ada, { 'billing-bot': true, 'tech-bot': true, none: true }],
    ['a member', grace, { 'billing-bot': true, 'tech-bot': false, none: false }],
    ['an agent', billingBot, { 'billing-bot': true, 'tech-bot': false, none: false }],
    ['an outside system', system, { 'billing-bot': true, 'tech-bot': false, none: true }],
  ] as const)('%s may put a ticket under these assistants only', (_, who, expected) => {
    const may = { 'billing-bot': mayFileUnder(who, 'billing-bot'), 'tech-bot': mayFileUnder(who, 'tech-bot'), none: mayFileUnder(who, null) };
    expect(may).toEqual(expected);
  });

  it('an agent files under itself even where its key names more assistants', () =>
    expect(mayFileUnder({ ...billingBot, access: { ...billingBot.access, assistantIds: ['billing-bot', 'tech-bot'] } }, 'tech-bot')).toBe(false));
});
