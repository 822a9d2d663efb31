import { z } from 'zod';
import { commonConfig, Port } from '#observability';
import { mailConfig } from './mail/mail-config.js';

/** Settings of assignment-notification. */
export const Config = z.object({
  ...commonConfig,
  /** Where the gateway asks. */
  PORT: Port,
  /** Shared by the services: signs assertions. */
  INTERNAL_KEY: z.string({ error: 'is missing: a secret of at least 32 characters, the same for all services' }).min(32, 'must have at least 32 characters'),
  /** Where people find the console: mails lead there. */
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must start with http:// or https://' })
    .transform((url) => url.replace(/\/+$/, ''))
    .prefault('http://127.0.0.1:3000'),
  /** Whether webhooks may be at this machine's own address, without encryption too: for local runs. */
  WEBHOOK_ALLOW_LOOPBACK: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false'),
  ...mailConfig,
});
export type Config = z.infer<typeof Config>;
