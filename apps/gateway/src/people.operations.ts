import { Availability, Me, Members } from '#contracts';
import type { OperationText } from './operation.js';

const ofOrganisation = { tag: 'Organisation' } as const;
const example = {
  timeZone: 'Europe/Berlin',
  workingHours: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:30' }],
  away: { until: '2030-01-07T08:00:00Z' },
  capacity: 20,
};

/** What the reference says about the routes of people. */
export const peopleOperations = {
  me: { ...ofOrganisation, id: 'getMe', summary: 'Who one is', answers: { 200: { description: 'The caller.', body: Me } } },
  list: {
    ...ofOrganisation,
    id: 'listMembers',
    summary: 'Who can be assigned',
    description: 'People are here from their first sign-in on, as their sign-in names them.',
    answers: { 200: { description: 'The people of the organisation, by id.', body: Members } },
  },
  delete: {
    ...ofOrganisation,
    needs: 'administer',
    id: 'deleteMember',
    summary: 'Take out somebody who left',
    description:
      'They cannot be assigned any more and own no assistant; tickets that are theirs stay so (`POST /members/{id}/hand-back` gives them back, also afterwards), and assignment rules pass over them. The tokens that they have let nobody in 5 s later, and their streams end. Whether they may sign in anew is the affair of the organisation’s issuer: who does is there again, on no assistant.',
    headers: ['If-Match'],
    answers: { 204: { description: 'They are out.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'version-conflict'],
  },
  availability: {
    ...ofOrganisation,
    id: 'getAvailability',
    summary: 'When somebody works',
    description: 'For administrators, and for people themselves. Who never said so is there at all times, for any number of tickets.',
    answers: { 200: { description: 'As it was set last.', body: Availability, headers: ['ETag'] } },
    problems: ['forbidden', 'not-found'],
  },
  setAvailability: {
    ...ofOrganisation,
    id: 'setAvailability',
    summary: 'Say when somebody works',
    description: 'Replaces all of it. People say so of themselves, but for `capacity`, which they leave as it is; administrators say all of it of anybody.',
    headers: ['If-Match'],
    body: example,
    answers: { 200: { description: 'As it is now.', body: Availability, headers: ['ETag', 'Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'version-conflict'],
  },
} satisfies Record<string, OperationText>;
