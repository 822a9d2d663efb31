import { Producers, RegisteredProducer } from '#contracts';
import type { OperationText } from './operation.js';

const forAdministrators = { tag: 'Organisation', needs: 'administer' } as const;
const grant = { name: 'ERP', commands: ['create', 'add-comment', 'change-status'], assistantIds: ['billing-bot'] };

/** What the reference says about the routes of outside systems. */
export const producerOperations = {
  create: {
    ...forAdministrators,
    id: 'createProducer',
    summary: 'Register an outside system',
    description:
      'The system may then send commands for the organisation on its inbound topic. Its topics are there when this is answered; who may write to them is the broker’s to say (`npm run -s acls`). Several organisations may register the same system, each for itself. With `outbound` it is told what happens on tickets of these assistants and on those that it made, on its outbound topic: events since `from` (now without it), in order for each ticket, at least once, under the same `ce_id`. An organisation has at most 100 systems, and 300 with those that it deleted, whose topics stay.',
    body: { id: 'erp', ...grant, outbound: { from: '2026-01-31T00:00:00Z' } },
    answers: { 201: { description: 'The system, with its topics.', body: RegisteredProducer, headers: ['Location', 'Idempotency-Replayed'] } },
    problems: ['forbidden', 'already-exists'],
  },
  list: {
    ...forAdministrators,
    id: 'listProducers',
    summary: 'List outside systems',
    answers: { 200: { description: 'The systems of the organisation, by id.', body: Producers } },
    problems: ['forbidden'],
  },
  get: {
    ...forAdministrators,
    id: 'getProducer',
    summary: 'Get an outside system',
    answers: { 200: { description: 'The system, with its topics.', body: RegisteredProducer } },
    problems: ['forbidden', 'not-found'],
  },
  replace: {
    ...forAdministrators,
    id: 'replaceProducer',
    summary: 'Change what an outside system may do',
    description: 'Replaces all of it; without `assistantIds` there are none. What is read of its topic a few seconds later is judged by it. Without `outbound` it is told nothing any more; another `from` begins anew, the same one or none goes on.',
    body: grant,
    answers: { 200: { description: 'The system as it is now.', body: RegisteredProducer, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
  delete: {
    ...forAdministrators,
    id: 'deleteProducer',
    summary: 'Let an outside system do nothing more',
    description: 'What it sends for the organisation is set aside from then on, and it is told nothing. Its topics stay: other organisations may use them, and they hold what was sent.',
    answers: { 204: { description: 'It may do nothing more.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
} satisfies Record<string, OperationText>;
