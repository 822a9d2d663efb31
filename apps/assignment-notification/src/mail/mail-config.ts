import { z } from 'zod';
import type { Mailbox } from './mail.js';
import { isAddress, type MailSettings } from './smtp-mailer.js';

const form = 'must be an e-mail address, or a name with one: Acme support <support@acme.example>';

/** `address` or `name <address>`. */
const Sender = z.string().transform((text, context): Mailbox => {
  const [, name = '', address = text.trim()] = /^\s*"?([^"<>]*?)"?\s*<([^<>]+)>\s*$/.exec(text) ?? [];
  if (isAddress(address)) return { name, address };
  context.addIssue({ code: 'custom', message: form });
  return z.NEVER;
});

/** Settings of mails that are sent. */
export const mailConfig = {
  /** Without it everything else runs, and mails fail with a word on why. */
  SMTP_URL: z.string().regex(/^smtps?:\/\/\S+$/, 'must start with smtp:// or smtps://').refine((url) => URL.canParse(url), 'must be an address such as smtp://user:password@mail.example:587').optional(),
  MAIL_FROM: Sender.prefault('Deskstream <support@deskstream.localhost>'),
  /** At once, by each process. */
  SMTP_CONNECTIONS: z.coerce.number().int().min(1).max(100).default(5),
  /** Mails to `<organisation>@` it come in at `POST /v1/inbound-email`; answers to ours, too. Without it they go to MAIL_FROM. */
  INBOUND_DOMAIN: z.string().regex(/^(?=.{1,190}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'must be a domain such as in.acme.example').optional(),
  /** Pauses between the tries to send a requester a mail, s: ten tries over a day. */
  REPLY_PAUSES: z
    .string()
    .regex(/^\d{1,6}(\.\d{1,3})?(,\d{1,6}(\.\d{1,3})?){0,19}$/, 'must be seconds, up to twenty between commas')
    .transform((list) => list.split(',').map(Number))
    .prefault('60,300,900,1800,3600,7200,14400,21600,28800'),
} as const;

/** What the mailer needs of them. */
export const mailSettings = ({ SMTP_URL: url, MAIL_FROM: from, SMTP_CONNECTIONS: connections }: { SMTP_URL?: string | undefined; MAIL_FROM: Mailbox; SMTP_CONNECTIONS: number }): MailSettings => ({ url, from, connections });
