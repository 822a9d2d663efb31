import { SlaPolicies, SlaPolicy } from '#contracts';
import type { OperationText } from './operation.js';

const forAdministrators = { tag: 'Deadlines', needs: 'administer' } as const;
const policy = {
  name: 'Billing, office hours',
  condition: { assistantIds: ['billing-bot'] },
  targets: { normal: { firstReply: 240, nextReply: 480, resolution: 2_400 }, urgent: { firstReply: 30, nextReply: 60, resolution: 480 } },
  hours: { timeZone: 'Europe/Berlin', workingHours: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:30' }], holidays: ['2026-12-25'] },
  warnAtPercent: 75,
  onMissed: [{ type: 'raise-priority' }, { type: 'notify', memberIds: ['ada'] }],
};

/** What the reference says about the policies of deadlines. */
export const deadlineOperations = {
  list: {
    ...forAdministrators,
    id: 'listSlaPolicies',
    summary: 'List the policies of deadlines',
    answers: { 200: { description: 'The policies of the organisation, in the order in which they are asked. The `ETag` is their revision.', body: SlaPolicies, headers: ['ETag'] } },
    problems: ['forbidden'],
  },
  create: {
    ...forAdministrators,
    id: 'createSlaPolicy',
    summary: 'Make a policy of deadlines',
    headers: ['If-Match'],
    description:
      'It is asked after those that are there: the first that is enabled and for a ticket decides on its deadlines, alone. Time counts while the ticket is open, and not while it is pending or resolved. The first reply and the resolution count from the ticket’s creation, the next reply from what the requester wrote first since the last one; a reply ends them, a move to resolved the resolution, which goes on where it was when the ticket is reopened. A policy is for open tickets, too, from when it was made: time before that counts for none. What a missed deadline does, it does once, in the name of `system/deadlines`. An organisation has at most 100 policies.',
    body: policy,
    answers: { 201: { description: 'The policy.', body: SlaPolicy, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'version-conflict'],
  },
  reorder: {
    ...forAdministrators,
    id: 'reorderSlaPolicies',
    summary: 'Change the order of policies',
    headers: ['If-Match'],
    description: 'Names every policy of the organisation once.',
    body: { ids: ['0b54f6a2-6f0c-4f0e-9a53-3b1f6a1c9d11'] },
    answers: { 200: { description: 'The policies in their new order.', body: SlaPolicies, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'version-conflict'],
  },
  replace: {
    ...forAdministrators,
    id: 'replaceSlaPolicy',
    summary: 'Change a policy of deadlines',
    headers: ['If-Match'],
    description: 'Replaces all of it but its place in the order. It counts at once for every ticket that is not closed, as if it had always been so; what was told of a deadline is not told again.',
    body: policy,
    answers: { 200: { description: 'The policy as it is now.', body: SlaPolicy, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'version-conflict'],
  },
  delete: {
    ...forAdministrators,
    id: 'deleteSlaPolicy',
    summary: 'Delete a policy of deadlines',
    headers: ['If-Match'],
    description: 'Its deadlines go; the policies that are left are asked for its tickets.',
    answers: { 204: { description: 'It is deleted.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'version-conflict'],
  },
} satisfies Record<string, OperationText>;
