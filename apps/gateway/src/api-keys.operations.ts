import { ApiKeys, CreatedApiKey } from '#contracts';
import type { OperationText } from './operation.js';

const forAdministrators = { tag: 'Organisation', needs: 'administer' } as const;

/** What the reference says about the routes of API keys. */
export const apiKeyOperations = {
  create: {
    ...forAdministrators,
    id: 'createApiKey',
    summary: 'Make an API key for an assistant’s agent',
    description:
      'The secret is shown in this answer only. An organisation has at most 500 keys. A repeat under the same `Idempotency-Key` is answered with the key as it was made, without the secret: whoever has lost it deletes the key and makes another one.',
    body: { name: 'Billing agent', assistantId: 'billing-bot', scopes: ['tickets:read', 'tickets:write', 'notes:write'], expiresAt: '2030-01-01T00:00:00Z' },
    answers: { 201: { description: 'The key, with its secret.', body: CreatedApiKey, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden'],
  },
  list: {
    ...forAdministrators,
    id: 'listApiKeys',
    summary: 'List API keys',
    description: 'Oldest first. Expired keys are listed until they are deleted.',
    answers: { 200: { description: 'The keys of the organisation, without their secrets.', body: ApiKeys } },
    problems: ['forbidden'],
  },
  delete: {
    ...forAdministrators,
    id: 'deleteApiKey',
    summary: 'Delete an API key',
    description: 'Nobody gets in with it any more 5 s later, at no gateway.',
    answers: { 204: { description: 'It is deleted.', headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found'],
  },
} satisfies Record<string, OperationText>;
