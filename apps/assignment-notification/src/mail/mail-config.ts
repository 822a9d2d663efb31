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
} as const;

/** What the mailer needs of them. */
export const mailSettings = ({ SMTP_URL: url, MAIL_FROM: from, SMTP_CONNECTIONS: connections }: { SMTP_URL?: string | undefined; MAIL_FROM: Mailbox; SMTP_CONNECTIONS: number }): MailSettings => ({ url, from, connections });
