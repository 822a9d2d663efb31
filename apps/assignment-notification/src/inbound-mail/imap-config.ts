import { z } from 'zod';

const folder = (name: string) => z.string().regex(/^[^\u0000-\u001f\u007f"\\*%]{1,200}$/u, 'must be the name of a folder').default(name);

const form = 'must be an address such as imaps://user:password@mail.example:993, what is special in user and password written as %40';

/** Settings of the mailbox that is looked into; without IMAP_URL none is. */
export const imapConfig = {
  /** `imaps:` is encrypted from the first byte, `imap:` from STARTTLS on: nothing is said to a server that offers neither. */
  IMAP_URL: z.string().refine(isMailbox, form).optional(),
  /** Whatever lies in it is taken. */
  IMAP_FOLDER: folder('INBOX'),
  /** Where mails go that were taken, and those that cannot be. */
  IMAP_TAKEN_FOLDER: folder('Taken'),
  IMAP_ASIDE_FOLDER: folder('Set aside'),
  /** Time from one look to the next, s. */
  IMAP_INTERVAL: z.coerce.number<string>({ error: 'must be seconds' }).min(0.1).max(86_400).default(30),
  /** PEM file of who vouches for the server's certificate; those that Node knows without it. */
  IMAP_CA_FILE: z.string().min(1).optional(),
} as const;

type Given = z.infer<z.ZodObject<typeof imapConfig>> & { INBOUND_DOMAIN?: string | undefined };

/** A mailbox: where it is, and how it is looked into. */
export interface ImapSettings {
  host: string;
  port: number;
  /** Encrypted from the first byte; otherwise by STARTTLS. */
  isSecure: boolean;
  user: string;
  password: string;
  folder: string;
  takenFolder: string;
  asideFolder: string;
  intervalMs: number;
  caFile?: string | undefined;
  /** How long the server may take: to be reached, for a word of its, and for all of a mail, ms. */
  patience: { connect: number; word: number; mail: number };
}

const patience = { connect: 15_000, word: 30_000, mail: 120_000 };

/** The settings; undefined where no mailbox is to be looked into. */
export function imapSettings({ IMAP_URL, IMAP_FOLDER: folder, IMAP_TAKEN_FOLDER: takenFolder, IMAP_ASIDE_FOLDER: asideFolder, IMAP_INTERVAL, IMAP_CA_FILE: caFile }: Given): ImapSettings | undefined {
  if (IMAP_URL === undefined) return undefined;
  const { protocol, hostname, port, username, password } = new URL(IMAP_URL);
  const isSecure = protocol === 'imaps:';
  const whom = { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? (isSecure ? 993 : 143) : Number(port), isSecure, ...whom, folder, takenFolder, asideFolder, intervalMs: IMAP_INTERVAL * 1_000, caFile, patience };
}

/** What does not go together. */
export function checkImap({ IMAP_URL, INBOUND_DOMAIN, ...given }: Given, context: z.RefinementCtx): void {
  if (IMAP_URL === undefined) return;
  if (INBOUND_DOMAIN === undefined) context.addIssue({ code: 'custom', path: ['INBOUND_DOMAIN'], message: 'is missing: mails of IMAP_URL find their organisation by it' });
  const folders = [given.IMAP_FOLDER, given.IMAP_TAKEN_FOLDER, given.IMAP_ASIDE_FOLDER].map((name) => name.toUpperCase());
  if (new Set(folders.slice(0, 2)).size < 2) context.addIssue({ code: 'custom', path: ['IMAP_TAKEN_FOLDER'], message: 'must be another folder than IMAP_FOLDER' });
  if (folders[2] === folders[0]) context.addIssue({ code: 'custom', path: ['IMAP_ASIDE_FOLDER'], message: 'must be another folder than IMAP_FOLDER' });
}

function isMailbox(text: string): boolean {
  if (!/^imaps?:\/\/[^\s/?#]+\/?$/.test(text) || !URL.canParse(text)) return false;
  const { hostname, username, password } = new URL(text);
  try {
    return hostname !== '' && decodeURIComponent(username) !== '' && decodeURIComponent(password) !== '';
  } catch {
    return false; // a percent sign that means nothing
  }
}
