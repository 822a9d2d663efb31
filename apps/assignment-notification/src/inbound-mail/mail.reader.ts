import { createHash } from 'node:crypto';
import { simpleParser, type AddressObject, type EmailAddress, type ParsedMail } from 'mailparser';
import { limits, Requester } from '#contracts';
import { isAddress } from '../mail/smtp-mailer.js';
import type { Mailbox } from '../mail/mail.js';
import { withoutQuotes } from './quotes.js';

/** A mail that came in, as far as tickets need it. */
export interface IncomingMail {
  /** Without its brackets; made of the bytes where it has none. */
  messageId: string;
  from: Mailbox;
  /** Everybody it was sent to. */
  to: string[];
  subject: string;
  /** What was written, without what was quoted. */
  text: string;
  attachments: string[];
  /** Ids of mails that it answers to. */
  references: string[];
  /** Headers that say who sends: by lower-cased name, one line each. */
  headers: ReadonlyMap<string, string>;
}

/** What cannot be read, in words for its sender. */
export class UnreadableMail extends Error {
  constructor(
    readonly code: 'no_sender' | 'several_senders' | 'too_complex' | 'not_a_mail',
    message: string,
  ) {
    super(message);
  }
}

/** A header has as much at most: what is longer was made to keep us busy, bytes. */
const longestHeader = 256 * 1024;
/** Parts of a mail at most; each `boundary` may begin some. */
const mostBoundaries = 100;
const mostAddresses = 200;
const mostReferences = 50;
/** What is kept of texts, characters. */
const longest = { text: 48_000, subject: 190, name: 200, file: 100 };
const mostFiles = 20;
const sayingWho = ['auto-submitted', 'x-autoreply', 'x-autorespond', 'precedence', 'return-path', 'list-id', 'x-failed-recipients', 'content-type'] as const;

/** Reads a mail as it came. @throws UnreadableMail */
export async function readMail(raw: Buffer): Promise<IncomingMail> {
  demandModesty(raw);
  const parsed = await simpleParser(raw, { maxHtmlLengthToParse: 1024 * 1024, skipImageLinks: true, skipTextToHtml: true }).catch((cause: unknown) => {
    throw Object.assign(new UnreadableMail('not_a_mail', 'is no e-mail message'), { cause });
  });
  const headers = headersOf(parsed);
  return {
    messageId: clean(parsed.messageId ?? '', 900).replace(/[<>\s]/g, '') || createHash('sha256').update(raw).digest('hex'),
    from: senderOf(parsed),
    to: recipientsOf(parsed),
    subject: clean(parsed.subject ?? '', 1_000).replace(/\s+/g, ' ').trim(),
    text: clean(withoutQuotes(clean(parsed.text ?? '', 200_000)), longest.text).trim(),
    attachments: parsed.attachments.slice(0, mostFiles).map(({ filename }) => clean(filename ?? '', longest.file).replace(/\s+/g, ' ').trim() || 'without a name'),
    references: [parsed.inReplyTo ?? [], parsed.references ?? []].flat().map((id) => clean(id, 900)).slice(-mostReferences),
    headers,
  };
}

/** What would take long is not begun with. */
function demandModesty(raw: Buffer): void {
  const end = raw.indexOf('\n\r\n') < 0 ? raw.indexOf('\n\n') : raw.indexOf('\n\r\n');
  if ((end < 0 ? raw.length : end) > longestHeader) throw new UnreadableMail('too_complex', `has a header of more than ${longestHeader / 1024} KiB`);
  let boundaries = 0;
  for (let at = raw.indexOf('boundary', 0, 'latin1'); at >= 0; at = raw.indexOf('boundary', at + 8, 'latin1')) {
    boundaries += 1;
    if (boundaries > mostBoundaries) throw new UnreadableMail('too_complex', `has more than ${mostBoundaries} nested parts`);
  }
}

/** Who is answered and believed: one, or nobody knows whom. */
function senderOf({ from }: ParsedMail): Mailbox {
  const mailboxes = mailboxesIn(from?.value ?? []);
  const [sender] = mailboxes;
  if (sender === undefined || !Requester.safeParse({ email: sender.address }).success) throw new UnreadableMail('no_sender', 'names nobody in From who could be answered');
  if (mailboxes.length > 1) throw new UnreadableMail('several_senders', 'names several senders in From');
  return sender;
}

function mailboxesIn(addresses: readonly EmailAddress[]): Mailbox[] {
  const all = addresses.slice(0, mostAddresses).flatMap((one) => one.group ?? [one]);
  return all.flatMap(({ name, address = '' }) => (isAddress(address) ? [{ name: clean(name, longest.name).replace(/\s+/g, ' ').trim(), address }] : []));
}

/** Servers that hand mails on note for whom, which may be somebody whom the mail itself does not name. */
function recipientsOf(parsed: ParsedMail): string[] {
  const named = [parsed.to ?? [], parsed.cc ?? []].flat().flatMap(({ value }: AddressObject) => mailboxesIn(value).map(({ address }) => address));
  const noted = parsed.headerLines.filter(({ key }) => key === 'delivered-to' || key === 'x-original-to' || key === 'envelope-to').slice(0, mostAddresses);
  return [...new Set([...noted.map(({ line }) => line.slice(line.indexOf(':') + 1).replace(/[<>\s]/g, '')), ...named])];
}

function headersOf({ headerLines }: ParsedMail): Map<string, string> {
  const wanted = new Set<string>(sayingWho);
  return new Map(headerLines.filter(({ key }) => wanted.has(key)).map(({ key, line }) => [key, clean(line.slice(line.indexOf(':') + 1), 1_000).replace(/\s+/g, ' ').trim().toLowerCase()]));
}

/** Text that every store takes, cut where it is too long. */
const clean = (text: string, most: number): string => text.slice(0, most).replaceAll('\0', '').toWellFormed();

/** The text of a mail as a ticket has it; what was attached is named and not kept. */
export function textOf({ text, attachments }: IncomingMail): string {
  if (attachments.length === 0) return text || '(no text)';
  const named = `[Attachments, not kept: ${attachments.join(', ')}]`;
  return `${clean(text, limits.message - named.length - 2)}\n\n${named}`.trim();
}

/** The subject as a title. */
export const titleOf = ({ subject }: IncomingMail): string => subject.slice(0, longest.subject).toWellFormed().trim() || '(no subject)';
