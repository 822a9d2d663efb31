import { RequestedDelivery, StoppedReplay, Webhook, WebhookDeliveries, WebhookReplay, Webhooks, WebhookWithSecret } from '#contracts';
import type { OperationText } from './operation.js';

const forAdministrators = { tag: 'Webhooks', needs: 'administer' } as const;
const webhook = { name: 'Billing', url: 'https://billing.acme.example/deskstream', types: ['created', 'status-changed'], assistantIds: ['billing-bot'], exceptActors: [{ type: 'agent', id: 'billing-bot' }] };
const replayed = ['Idempotency-Replayed'] as const;

/** What the reference says about webhooks. */
export const webhookOperations = {
  list: { ...forAdministrators, id: 'listWebhooks', summary: 'List webhooks', answers: { 200: { description: 'The webhooks of the organisation, oldest first.', body: Webhooks } }, problems: ['forbidden'] },
  create: {
    ...forAdministrators,
    id: 'createWebhook',
    summary: 'Make a webhook',
    description:
      'It is sent every event from then on that it is for, as `webhooks` of this document say, by `POST` and signed as [Standard Webhooks](https://www.standardwebhooks.com) has it. Any 2xx within 15 s means that it was taken. Otherwise it is sent again, twelve times within three days, under the same `webhook-id`; meanwhile later events of the same ticket wait for it. An event may come more than once. The address must be one that everybody may reach; redirects are not followed. A webhook that answers 410, or that nothing has come through to for five days, is switched off. An organisation has at most 100.',
    body: webhook,
    answers: { 201: { description: 'The webhook, with its secret.', body: WebhookWithSecret, headers: [...replayed] } },
    problems: ['forbidden'],
  },
  get: { ...forAdministrators, id: 'getWebhook', summary: 'Read a webhook', answers: { 200: { description: 'The webhook, how it fares, and its newest replay.', body: Webhook } }, problems: ['forbidden', 'not-found'] },
  replace: {
    ...forAdministrators,
    id: 'replaceWebhook',
    summary: 'Change a webhook',
    description: 'Replaces all of it but its secrets. What waits for a webhook that is switched off is dropped.',
    body: webhook,
    answers: { 200: { description: 'The webhook as it is now.', body: Webhook, headers: [...replayed] } },
    problems: ['forbidden', 'not-found'],
  },
  delete: { ...forAdministrators, id: 'deleteWebhook', summary: 'Delete a webhook', description: 'What waits for it is dropped.', answers: { 204: { description: 'It is deleted.', headers: [...replayed] } }, problems: ['forbidden', 'not-found'] },
  rotate: {
    ...forAdministrators,
    id: 'rotateWebhookSecret',
    summary: 'Make a new secret',
    description: 'Deliveries have a signature of the new one at once, and for the time of overlap one of each secret so far as well.',
    body: { overlapSeconds: 86_400 },
    answers: { 201: { description: 'The webhook, with its new secret.', body: WebhookWithSecret, headers: [...replayed] } },
    problems: ['forbidden', 'not-found'],
  },
  test: {
    ...forAdministrators,
    id: 'testWebhook',
    summary: 'Send a test',
    description: 'Also to a webhook that is switched off. What came of it is in its deliveries.',
    answers: { 202: { description: 'It is on its way.', body: RequestedDelivery, headers: [...replayed] } },
    problems: ['forbidden', 'not-found'],
  },
  deliveries: { ...forAdministrators, id: 'listWebhookDeliveries', summary: 'List deliveries', description: 'Of the last 30 days.', answers: { 200: { description: 'What the webhook was or is to be sent, newest first.', body: WebhookDeliveries } }, problems: ['forbidden', 'not-found', 'invalid-cursor'] },
  redeliver: {
    ...forAdministrators,
    id: 'redeliver',
    summary: 'Send a delivery again',
    description: 'At once, whatever became of it before, with all its tries.',
    answers: { 202: { description: 'It is on its way.', body: RequestedDelivery, headers: [...replayed] } },
    problems: ['forbidden', 'not-found'],
  },
  replay: {
    ...forAdministrators,
    id: 'replayWebhook',
    summary: 'Send what happened since a time again',
    description: 'All that the webhook is for by now, also what it was sent before, or what happened before there was the webhook. What happens meanwhile is sent, too. The replay is part of the webhook, and tells how far it is; a new one takes its place.',
    body: { from: '2026-01-01T00:00:00Z' },
    answers: { 202: { description: 'It has begun.', body: WebhookReplay, headers: [...replayed] } },
    problems: ['forbidden', 'not-found'],
  },
  stopReplay: { ...forAdministrators, id: 'stopWebhookReplay', summary: 'Stop a replay', description: 'What it has found by then is sent.', answers: { 202: { description: 'It looks for nothing more.', body: StoppedReplay, headers: [...replayed] } }, problems: ['forbidden', 'not-found'] },
} satisfies Record<string, OperationText>;
