import { z } from 'zod';
import { commonConfig, Port } from '#observability';
import { checkImap, imapConfig } from './inbound-mail/imap-config.js';
import { mailConfig } from './mail/mail-config.js';

const seconds = (most: number) => z.coerce.number<string>({ error: 'must be seconds' }).min(0).max(most);

/** Pauses before the second to the twelfth try to reach a webhook, s: three days in all. */
const webhookPauses = '5,30,120,600,1800,3600,10800,21600,43200,72000,104400';

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
  /** Pauses before the second, third … try to reach a webhook, s, between commas; after as many a delivery has failed. */
  WEBHOOK_RETRY_PAUSES: z
    .string()
    .default(webhookPauses)
    .transform((value) => value.split(','))
    .pipe(z.array(seconds(604_800)).min(1).max(50)),
  /** A webhook that nothing has come through to for so long is switched off, s. */
  WEBHOOK_SWITCH_OFF_AFTER: seconds(31_536_000).default(432_000),
  /** Name servers that say where webhooks are, `address` or `address:port` between commas; those of the machine without it. */
  WEBHOOK_DNS_SERVERS: z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.string().min(1)))
    .optional(),
  ...mailConfig,
  ...imapConfig,
}).superRefine(checkImap);
export type Config = z.infer<typeof Config>;
