import { Assistant, Assistants } from '#contracts';
import type { OperationText } from './operation.js';

const ofOrganisation = { tag: 'Organisation' } as const;

/** What the reference says about the routes of assistants. */
export const assistantOperations = {
  list: { ...ofOrganisation, id: 'listAssistants', summary: 'Which assistants there are', answers: { 200: { description: 'The assistants, and whose they are.', body: Assistants } } },
  get: {
    ...ofOrganisation,
    id: 'getAssistant',
    summary: 'Get an assistant',
    answers: { 200: { description: 'The assistant, and whose it is.', body: Assistant, headers: ['ETag'] } },
    problems: ['not-found'],
  },
  put: {
    ...ofOrganisation,
    needs: 'administer',
    id: 'putAssistant',
    summary: 'Make an assistant, or change whose it is',
    description:
      'Who is not named any more sees none of its tickets 5 s later, on open streams neither, but for those that are assigned to them or that they made. An organisation has at most 1,000 assistants.',
    headers: ['If-Match'],
    body: { name: 'Billing assistant', memberIds: ['grace'] },
    answers: {
      200: { description: 'The assistant as it is now.', body: Assistant, headers: ['ETag', 'Idempotency-Replayed'] },
      201: { description: 'The new assistant.', body: Assistant, headers: ['ETag', 'Idempotency-Replayed'] },
    },
    problems: ['forbidden', 'not-found', 'version-conflict'],
  },
  delete: {
    ...ofOrganisation,
    needs: 'administer',
    id: 'deleteAssistant',
    summary: 'Delete an assistant',
    description:
      'Its tickets stay filed under it: administrators see them, those they are assigned to, and those who made them. Its API keys let nobody in 5 s later; they do again if an assistant of the same id is made, unless they are deleted as well.',
    headers: ['If-Match'],
    answers: { 204: { description: 'It is deleted.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'version-conflict'],
  },
} satisfies Record<string, OperationText>;
