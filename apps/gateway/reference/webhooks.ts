import type { z } from 'zod';
import { WebhookEvent, WebhookTest } from '#contracts';
import type { Components } from './components.js';

const headers: Record<string, { description: string; pattern?: string }> = {
  'webhook-id': { description: 'The `id` of the body. What comes under one that was taken before is a repeat.' },
  'webhook-timestamp': { description: 'When it was sent, seconds since 1970: what is older than five minutes may be refused.', pattern: '^[0-9]+$' },
  'webhook-signature': { description: '`v1,` and the HMAC-SHA256 in base64 of `<webhook-id>.<webhook-timestamp>.<body>`; one for each secret in use, spaces between.' },
};

/** What we send to webhooks. */
export function webhooksOf(components: Components) {
  const said = { event: ['An event', WebhookEvent], test: ['A test', WebhookTest] } as const;
  return Object.fromEntries(Object.entries(said).map(([name, [summary, body]]) => [name, { post: sent(components, { name, summary, body }) }]));
}

const sent = (components: Components, { name, summary, body }: { name: string; summary: string; body: z.ZodType }) => ({
  operationId: `${name}Webhook`,
  tags: ['Webhooks'],
  summary,
  description: 'In order for each ticket, at least once. Signed as [Standard Webhooks](https://www.standardwebhooks.com) has it.',
  security: [],
  parameters: Object.entries(headers).map(([header, { description, ...schema }]) => ({ name: header, in: 'header', required: true, description, schema: { type: 'string', ...schema } })),
  requestBody: { required: true, content: { 'application/json': { schema: components.schema(body) } } },
  responses: {
    '2XX': { description: 'It was taken.' },
    410: { description: 'Nothing is wanted any more: the webhook is switched off.' },
    default: { description: 'It is sent again later; after `Retry-After` where a 429 or 503 says so.' },
  },
});
