import { AssignmentRule, AssignmentRules, HandBack, Rehearsal } from '#contracts';
import type { OperationText } from './operation.js';

const forAdministrators = { tag: 'Assignment', needs: 'administer' } as const;
const rule = { name: 'Urgent invoices', condition: { assistantIds: ['billing-bot'], priorities: ['urgent'] }, strategy: { type: 'round-robin', memberIds: ['ada', 'grace'] } };

/** What the reference says about assignment rules. */
export const assignmentOperations = {
  list: {
    ...forAdministrators,
    id: 'listAssignmentRules',
    summary: 'List assignment rules',
    answers: { 200: { description: 'The rules of the organisation, in the order in which they are asked. The `ETag` is their revision.', body: AssignmentRules, headers: ['ETag'] } },
    problems: ['forbidden'],
  },
  create: {
    ...forAdministrators,
    id: 'createAssignmentRule',
    summary: 'Make an assignment rule',
    headers: ['If-Match'],
    description:
      'It is asked after those that are there. When nobody has a ticket, the first rule that is enabled and whose condition holds decides who gets it. Where nobody it could choose is free, the ticket waits until somebody is. Somebody who takes the ticket meanwhile keeps it. A rule is for all open and pending tickets that nobody has, also those that were there before it: rehearse it first, and say how much people take. Who was taken out of the organisation is passed over; why a rule chose whom stands in the `explanation` of the ticket’s `assignee-changed` event. An organisation has at most 100 rules.',
    body: rule,
    answers: { 201: { description: 'The rule.', body: AssignmentRule, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'version-conflict'],
  },
  reorder: {
    ...forAdministrators,
    id: 'reorderAssignmentRules',
    summary: 'Change the order of assignment rules',
    headers: ['If-Match'],
    description: 'Names every rule of the organisation once.',
    body: { ids: ['0b54f6a2-6f0c-4f0e-9a53-3b1f6a1c9d11'] },
    answers: { 200: { description: 'The rules in their new order.', body: AssignmentRules, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'version-conflict'],
  },
  rehearse: {
    ...forAdministrators,
    id: 'rehearseAssignmentRules',
    summary: 'See what rules would have done',
    description: 'With tickets that nobody had between two moments, at most 5,000 of the last 180 days. Changes nothing. `assumptions` says what it cannot know.',
    body: { from: '2026-01-01T00:00:00Z', to: '2026-01-08T00:00:00Z', rule },
    answers: { 200: { description: 'What would have become of the tickets.', body: Rehearsal } },
    problems: ['forbidden'],
  },
  replace: {
    ...forAdministrators,
    id: 'replaceAssignmentRule',
    summary: 'Change an assignment rule',
    headers: ['If-Match'],
    description: 'Replaces all of it but its place in the order. What it chose before stays. Everybody whom it names must be there, also if it named them before.',
    body: rule,
    answers: { 200: { description: 'The rule as it is now.', body: AssignmentRule, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'version-conflict'],
  },
  delete: {
    ...forAdministrators,
    id: 'deleteAssignmentRule',
    summary: 'Delete an assignment rule',
    headers: ['If-Match'],
    description: 'Tickets that wait for it are for the rules that are left.',
    answers: { 204: { description: 'It is deleted.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'version-conflict'],
  },
  handBack: {
    tag: 'Assignment',
    needs: 'delete', // As that is: for people only.
    id: 'handBackTickets',
    summary: 'Give somebody’s tickets back',
    description:
      'Open and pending tickets of a member are released, and the rules look for somebody else. Members do so for themselves, before they go away; administrators for everybody. What the member is given or gives away meanwhile stays as it is. At most 10,000 at once.',
    answers: { 202: { description: 'How many are given back from now on.', body: HandBack, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
} satisfies Record<string, OperationText>;
