import { readFileSync } from 'node:fs';
import { ImapFlow } from 'imapflow';
import type { ImapSettings } from './imap-config.js';

/** Why a mailbox cannot be worked on. */
export type MailboxReason = 'unreachable' | 'sign_in_refused' | 'silent' | 'folder_missing' | 'move_refused' | 'broken_off';

/** Trouble with a mailbox or its server, in words that say nothing of how we sign in. */
export class MailboxTrouble extends Error {
  constructor(
    readonly reason: MailboxReason,
    message: string,
  ) {
    super(message);
  }
}

/** How many bytes an answer may have beside the mail in it. */
const mostWords = 1024 * 1024;

/** One visit to a mailbox on an IMAP server. Whatever the server does or does not, each question ends in time. */
export class ImapMailbox {
  private readonly folders = new Map<string, Promise<unknown>>();

  private constructor(
    private readonly client: ImapFlow,
    private readonly patience: ImapSettings['patience'],
    private readonly signal: AbortSignal,
    /** Numbers of mails are good under this one only. */
    readonly uidValidity: string,
  ) {}

  /** Signs in and opens the folder. @param signal ends the visit, whatever is under way @throws MailboxTrouble */
  static async open({ host, port, isSecure, user, password, folder, caFile, patience }: ImapSettings, { mostBytes, signal }: { mostBytes: number; signal: AbortSignal }): Promise<ImapMailbox> {
    const client = new ImapFlow({
      host,
      port,
      secure: isSecure,
      // Not without encryption: who only offers it may have been talked out of it by somebody in between.
      ...(!isSecure && { doSTARTTLS: true }),
      auth: { user, pass: password },
      tls: caFile === undefined ? {} : { ca: readFileSync(caFile) },
      logger: false,
      disableAutoIdle: true,
      disableCompression: true,
      connectionTimeout: patience.connect,
      greetingTimeout: patience.connect,
      socketTimeout: patience.word,
      maxLiteralSize: mostBytes + mostWords,
      maxLineLength: 16 * mostWords,
    });
    // What goes wrong is told by what was asked; without a listener it would end the process.
    client.on('error', () => undefined);
    try {
      await inTime({ client, signal, ms: 2 * patience.connect }, () => client.connect());
      const { uidValidity } = await inTime({ client, signal, ms: patience.word, otherwise: 'folder_missing' }, () => client.mailboxOpen(folder));
      return new ImapMailbox(client, patience, signal, String(uidValidity));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Numbers of the mails in the folder, oldest first, without those that somebody has marked as deleted. @throws MailboxTrouble */
  async waiting(): Promise<number[]> {
    const found = await this.ask(this.patience.word, () => this.client.search({ deleted: false }, { uid: true }));
    if (!found) throw new MailboxTrouble('broken_off', 'the server does not say what is in the folder');
    return found.sort((one, other) => one - other);
  }

  /** A mail as it came; undefined where it is gone. A larger one is not fetched. @throws MailboxTrouble */
  async read(uid: number, mostBytes: number): Promise<Buffer | 'too_large' | undefined> {
    const { size } = (await this.ask(this.patience.word, () => this.client.fetchOne(String(uid), { size: true }, { uid: true }))) || {};
    if (size === undefined) return undefined;
    if (size > mostBytes) return 'too_large';
    // Some servers guess sizes: one byte more tells that there is more.
    const { source } = (await this.ask(this.patience.mail, () => this.client.fetchOne(String(uid), { source: { start: 0, maxLength: mostBytes + 1 } }, { uid: true }))) || {};
    return source !== undefined && source.length > mostBytes ? 'too_large' : source;
  }

  /** @throws MailboxTrouble where it may still be in the folder */
  async move(uid: number, folder: string): Promise<void> {
    await (this.folders.get(folder) ?? this.makeSure(folder));
    const isMoved = await this.ask(this.patience.word, () => this.client.messageMove(String(uid), folder, { uid: true }));
    if (!isMoved) throw new MailboxTrouble('move_refused', `the server does not move a mail to "${folder}"`);
  }

  /** Leaves, kindly where the server lets us. */
  async close(): Promise<void> {
    await this.ask(2_000, () => this.client.logout()).catch(() => undefined);
    this.client.close();
  }

  private makeSure(folder: string): Promise<unknown> {
    const isThere = this.ask(this.patience.word, () => this.client.status(folder, { messages: true })).catch((error: unknown) => {
      if (!this.client.usable) throw error;
      return this.ask(this.patience.word, () => this.client.mailboxCreate(folder));
    });
    this.folders.set(folder, isThere);
    return isThere;
  }

  private ask<T>(ms: number, question: () => Promise<T>): Promise<T> {
    return inTime({ client: this.client, signal: this.signal, ms }, question);
  }
}

interface Asked {
  client: ImapFlow;
  signal: AbortSignal;
  ms: number;
  /** What a no of the server means. */
  otherwise?: MailboxReason;
}

/** An answer that does not come in time ends the connection: nobody knows what else would come. */
async function inTime<T>({ client, signal, ms, otherwise = 'broken_off' }: Asked, question: () => Promise<T>): Promise<T> {
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const end = (error: MailboxTrouble) => {
    reject(error);
    client.close();
  };
  const leave = () => end(new MailboxTrouble('broken_off', 'the visit was ended'));
  const timer = setTimeout(() => end(new MailboxTrouble('silent', `the server did not answer within ${ms / 1_000} s`)), ms);
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  try {
    return await Promise.race([cut, question()]);
  } catch (error) {
    throw error instanceof MailboxTrouble ? error : troubleOf(error as ImapError, otherwise);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  }
}

type ImapError = Error & { code?: string; authenticationFailed?: boolean; responseText?: string; responseStatus?: string };

/** Codes of connections that were not made, or not in time. */
const unreached = /^(ECONN|EHOST|ENET|EAI_|ENOTFOUND|ETIMEDOUT|CONNECT_TIMEOUT|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_)/;
const waited = /^(GREETING_TIMEOUT|UPGRADE_TIMEOUT|ETIMEOUT|ETIME)$/;

/** Only what the server said to people, or what the machine says of the connection: the library's errors hold whole commands. */
function troubleOf({ message, code = '', authenticationFailed, responseText, responseStatus }: ImapError, otherwise: MailboxReason): MailboxTrouble {
  const text = (responseText ?? message).replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, 300);
  if (authenticationFailed) return new MailboxTrouble('sign_in_refused', 'the server does not let us in with this user and password');
  if (waited.test(code)) return new MailboxTrouble('silent', text);
  if (unreached.test(code)) return new MailboxTrouble('unreachable', text);
  return new MailboxTrouble(responseStatus === undefined && code !== 'NotFound' ? 'broken_off' : otherwise, text);
}
