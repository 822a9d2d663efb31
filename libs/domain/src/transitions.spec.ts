import { describe, expect, it } from '@jest/globals';
import { StatusInput, type Status } from '#contracts';
import { ada, agent, billingBot } from '../../contracts/testing/builders.js';
import { changeTo, inStatus } from '../testing/histories.js';
import { given, noon } from '../testing/scenarios.js';
import { allowedTransitions, transitions } from './index.js';

const statuses: Status[] = ['open', 'pending', 'resolved', 'closed'];

/** The whole table of contract section 2, every cell written out. */
const table: [from: Status, to: Status, may: boolean][] = [
  ['open', 'open', false],
  ['open', 'pending', true],
  ['open', 'resolved', false],
  ['open', 'closed', false],
  ['pending', 'open', true],
  ['pending', 'pending', false],
  ['pending', 'resolved', true],
  ['pending', 'closed', false],
  ['resolved', 'open', true],
  ['resolved', 'pending', false],
  ['resolved', 'resolved', false],
  ['resolved', 'closed', true],
  ['closed', 'open', false],
  ['closed', 'pending', false],
  ['closed', 'resolved', false],
  ['closed', 'closed', false],
];

describe('transitions', () => {
  it('has a cell for every pair of statuses', () => {
    expect(new Set(table.map(([from, to]) => `${from} ${to}`)).size).toBe(statuses.length ** 2);
  });

  it.each(table.filter(([, , may]) => may))('moves from %s to %s', (from, to) =>
    given(...inStatus(from)).when(changeTo(to)).then({ type: 'ticket.status-changed.v1', data: { from, to } }, { status: to }),
  );

  it.each(table.filter(([, , may]) => !may))('refuses to move from %s to %s and names what is allowed', (from, to) => {
    const allowed = table.filter(([start, , may]) => start === from && may).map(([, end]) => end);
    given(...inStatus(from)).when(changeTo(to)).thenRejected('invalid-transition', { from, to, allowed });
  });

  it('refuses the move of a move with a comment as well', () =>
    given(...inStatus('open')).when(changeTo('closed', {}, 'Done.')).thenRejected('invalid-transition', { from: 'open', to: 'closed', allowed: ['pending'] }));

  it.each([
    ['open', 'open'],
    ['pending', 'pending'],
    ['in_progress', 'pending'],
    ['in-progress', 'pending'],
    ['resolved', 'resolved'],
    ['closed', 'closed'],
  ])('reads the status %s as %s', (read, meant) => expect(StatusInput.parse(read)).toBe(meant));

  it.each(['In_Progress', 'OPEN', 'new', '', null, 1])('does not read %j as a status', (read) => expect(StatusInput.safeParse(read).success).toBe(false));

  it.each(statuses)('tells who may move a ticket that is %s the moves they may make', (status) => {
    expect(allowedTransitions(ada, { status })).toEqual(transitions[status]);
    expect(allowedTransitions(billingBot, { status })).toEqual(transitions[status]);
    expect(allowedTransitions(agent('billing-bot', 'tickets:read', 'tickets:write'), { status })).toEqual([]);
  });
});

describe('times of a status', () => {
  const earlier = '2026-01-01T10:02:00.000Z';

  it('resolving sets resolvedAt', () =>
    given(...inStatus('pending')).when(changeTo('resolved')).then({ type: 'ticket.status-changed.v1', data: { from: 'pending', to: 'resolved' } }, { resolvedAt: noon, closedAt: null }));

  it('closing sets closedAt and keeps resolvedAt', () =>
    given(...inStatus('resolved')).when(changeTo('closed')).then({ type: 'ticket.status-changed.v1', data: { from: 'resolved', to: 'closed' } }, { resolvedAt: earlier, closedAt: noon }));

  it('opening again empties resolvedAt', () =>
    given(...inStatus('resolved')).when(changeTo('open')).then({ type: 'ticket.status-changed.v1', data: { from: 'resolved', to: 'open' } }, { resolvedAt: null, closedAt: null }));
});
