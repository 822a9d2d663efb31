import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ProblemError } from '#observability';

/** How far the clock of who signs may be off, s. */
const toleranceSeconds = 300;

/** Checks who hands mails in, by the signature of Standard Webhooks: HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`. */
export class MailSignatures {
  private readonly key: Buffer | undefined;

  /** @param secret `whsec_` and base64; without it no mail is taken */
  constructor(secret: string | undefined) {
    this.key = secret === undefined ? undefined : Buffer.from(secret.slice('whsec_'.length), 'base64');
  }

  /** What can be told before the mail is read. @throws ProblemError not-found where no mails are taken, unauthenticated where no signature could be good */
  demandSigned(headers: IncomingHttpHeaders, now = Date.now()): void {
    if (this.key === undefined) throw new ProblemError('not-found', 'No mails are taken here.');
    const { timestamp, signatures } = named(headers);
    if (signatures === '') throw refused('It is not signed.');
    if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1_000 - Number(timestamp)) > toleranceSeconds) throw refused('Its signature is too old, or from the future.');
    if (!shownIn(signatures).some((one) => one.length === signatureBytes)) throw refused('Its signature is none.');
  }

  /** @throws ProblemError not-found where no mails are taken, unauthenticated where it is not signed as it must be */
  demand(headers: IncomingHttpHeaders, body: Buffer): void {
    this.demandSigned(headers);
    const { id, timestamp, signatures } = named(headers);
    const wanted = createHmac('sha256', this.key!).update(`${id}.${timestamp}.`).update(body).digest();
    if (!shownIn(signatures).some((one) => one.length === wanted.length && timingSafeEqual(one, wanted))) throw refused('Its signature is wrong.');
  }
}

/** Of SHA-256. */
const signatureBytes = 32;

function named(headers: IncomingHttpHeaders) {
  const of = (name: string) => String(headers[name] ?? '');
  return { id: of('webhook-id'), timestamp: of('webhook-timestamp'), signatures: of('webhook-signature') };
}

const shownIn = (signatures: string): Buffer[] => signatures.split(' ', 10).map((text) => Buffer.from(text.startsWith('v1,') ? text.slice(3) : '', 'base64'));

const refused = (detail: string) => new ProblemError('unauthenticated', detail, {}, { 'www-authenticate': 'StandardWebhooks' });
