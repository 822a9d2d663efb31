import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js';
import { NotBegun, type SendOutcome } from '../deliveries/delivery.js';
import { Mailer, type Mail, type Mailbox } from './mail.js';
import { Places } from './places.js';

/** Where mails are handed in, and as whom. */
export interface MailSettings {
  /** `smtp://` or `smtps://`, with user and password where the server asks; without it nothing can be sent. */
  url: string | undefined;
  from: Mailbox;
  /** Connections to the server at once. */
  connections: number;
  /** How long a mail may wait for a connection, and how long it may take once it has one, ms. */
  patience?: { room: number; mail: number };
}

const patience = { room: 3_000, mail: 20_000 };

/** Until the server says the next word, ms: below what a mail may take. */
const patienceMs = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 15_000, dnsTimeout: 10_000 };

/** SMTP answers by which a server refuses the mail, not us or the moment (RFC 5321, 4.2.3): who must sign in first is our trouble. */
const refusesMail = (code: number | undefined) => code !== undefined && code >= 500 && !(code >= 530 && code <= 538);

/** Hands mails to an SMTP server over a few connections that stay open. */
@Injectable()
export class SmtpMailer extends Mailer implements OnApplicationShutdown {
  private readonly transport;
  /** As many as connections: within the transport nothing waits, so that a mail's time is its own. */
  private readonly places: Places;

  constructor(private readonly settings: MailSettings) {
    super();
    const { url, connections: maxConnections } = settings;
    // A connection that the server has closed meanwhile is made anew once. Bodies are ours: nothing in a mail makes us read files or addresses.
    const options = { pool: true, url, maxConnections, maxRequeues: 1, disableFileAccess: true, disableUrlAccess: true, ...patienceMs } as const;
    this.places = new Places(maxConnections);
    this.transport = url === undefined ? undefined : createTransport(options);
  }

  async send(mail: Mail): Promise<SendOutcome> {
    if (this.transport === undefined) return { state: 'refused', detail: 'no mail server is configured (SMTP_URL)' };
    if (!isAddress(mail.to.address)) return { state: 'refused', detail: 'this is no e-mail address' };
    const { room, mail: limitMs } = this.settings.patience ?? patience;
    if (!(await this.places.take(room))) throw new NotBegun('all connections to the mail server are busy');
    try {
      return await this.handIn(this.transport, mail, AbortSignal.timeout(limitMs));
    } finally {
      this.places.leave();
    }
  }

  private async handIn(transport: Transporter<SMTPPool.SentMessageInfo>, mail: Mail, signal: AbortSignal): Promise<SendOutcome> {
    const { to, replyTo, subject, text, messageId, inReplyTo, references, headers } = mail;
    try {
      const { response } = await transport.sendMail({
        from: plain(this.settings.from),
        to: plain(to),
        ...(replyTo && { replyTo: plain(replyTo) }),
        subject: oneLine(subject),
        text,
        messageId,
        ...(inReplyTo !== undefined && { inReplyTo }),
        ...(references && { references: [...references] }),
        headers: Object.entries(headers ?? {}).map(([key, value]) => ({ key, value: oneLine(value) })),
        envelope: { from: this.settings.from.address, to: to.address },
        signal,
      });
      return { state: 'delivered', detail: response };
    } catch (error) {
      return failureOf(error as SmtpError);
    }
  }

  onApplicationShutdown(): void {
    this.transport?.close();
  }
}

type SmtpError = Error & { responseCode?: number; response?: string; code?: string };

/** Only what a server said about the mail itself is final: a greeting or a sign-in that it refuses says nothing of it. */
function failureOf({ message, response, responseCode, code }: SmtpError): SendOutcome {
  const isAboutMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  const detail = oneLine(response ?? message);
  return { state: isAboutMail && refusesMail(responseCode) ? 'refused' : 'failed', detail };
}

/** One address and nothing beside it: no list, no comment, no line of its own. */
export const isAddress = (text: string): boolean => text.length <= 254 && /^[^\s@<>()[\],;:\\"\p{Cc}]+@[^\s@<>()[\],;:\\"\p{Cc}]+$/u.test(text);

/** What stands in a header is one line, whatever it was. */
const oneLine = (text: string) => text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim();

const plain = ({ name, address }: Mailbox) => ({ name: oneLine(name), address });
