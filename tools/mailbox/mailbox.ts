import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { simpleParser, type AddressObject } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

/** A mail as it was taken. */
export interface TakenMail {
  id: string;
  at: string;
  /** Who sends it and who gets it, as the protocol says: not what its header claims. */
  envelope: { from: string; to: string[] };
  from: string;
  to: string;
  replyTo: string;
  subject: string;
  text: string;
  messageId: string;
  inReplyTo: string;
  references: string[];
  /** Unfolded lines of the header by lower-cased name; the last of a name. */
  headers: Record<string, string>;
  raw: string;
}

/** What a server may say instead of taking a mail: an SMTP answer, or nothing at all. */
export type Refusal = { code: number; text: string } | 'silence';

/** How a mailbox behaves. */
export interface MailboxOptions {
  /** 0: any. */
  port?: number;
  host?: string;
  /** Older mails make room for newer ones. */
  keep?: number;
  /** Asked for each mail before it is taken. */
  refuse?: (envelope: TakenMail['envelope']) => Refusal | undefined;
}

const largestMail = 25 * 1024 * 1024;
/** What all mails that are kept may have. */
const mostBytes = 64 * 1024 * 1024;

/** An SMTP server that takes every mail, sends none on, and keeps the newest in memory. */
export class Mailbox {
  readonly #server: SMTPServer;
  readonly #options: MailboxOptions;
  #mails: TakenMail[] = [];

  constructor(options: MailboxOptions = {}) {
    this.#options = options;
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      size: largestMail,
      logger: false,
      closeTimeout: 500,
      disableReverseLookup: true,
      onData: (stream, session, done) => void this.#take(stream, session).then((refusal) => this.#answer(refusal, done), done),
    });
    this.#server.on('error', () => undefined); // a client that hangs up in the middle
  }

  /** Resolves with its address, `smtp://host:port`, once it listens. */
  async open(): Promise<string> {
    const { port = 0, host = '127.0.0.1' } = this.#options;
    const server = this.#server.listen(port, host);
    await once(server, 'listening');
    return `smtp://${host}:${(server.address() as AddressInfo).port}`;
  }

  /** Newest first. */
  get mails(): readonly TakenMail[] {
    return this.#mails;
  }

  clear(): void {
    this.#mails = [];
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(refusal: Refusal | undefined, done: (error?: Error | null, message?: string) => void) {
    if (refusal === 'silence') return;
    if (refusal) return done(Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
    done(null, 'kept');
  }

  async #take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<Refusal | undefined> {
    const raw = await buffer(stream);
    if (stream.sizeExceeded) return { code: 552, text: 'too large' };
    const { mailFrom, rcptTo } = session.envelope;
    const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) };
    const refusal = this.#options.refuse?.(envelope);
    if (refusal) return refusal;
    this.#mails = newest([await read(raw, envelope), ...this.#mails], this.#options.keep ?? 200);
    return undefined;
  }
}

/** As many of the newest as there is room for. */
function newest(mails: TakenMail[], keep: number): TakenMail[] {
  let bytes = 0;
  return mails.slice(0, keep).filter(({ raw }, i) => (bytes += raw.length) <= mostBytes || i === 0);
}

async function read(raw: Buffer, envelope: TakenMail['envelope']): Promise<TakenMail> {
  const parsed = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
  const { messageId = '', inReplyTo = '', references = [], subject = '', text = '' } = parsed;
  const headers = Object.fromEntries(parsed.headerLines.map(({ key, line }) => [key, line.slice(line.indexOf(':') + 1).replace(/\r?\n/g, '').trim()]));
  const addresses = { from: textOf(parsed.from), to: textOf(parsed.to), replyTo: textOf(parsed.replyTo) };
  return { id: randomUUID(), at: new Date().toISOString(), envelope, ...addresses, subject, text, messageId, inReplyTo, references: [references].flat(), headers, raw: raw.toString('latin1') };
}

const textOf = (addresses: AddressObject | AddressObject[] | undefined) => [addresses ?? []].flat().map(({ text }) => text).join(', ');
