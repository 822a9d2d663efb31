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

  /** @throws ProblemError not-found where no mails are taken, unauthenticated where it is not signed as it must be */
  demand(headers: IncomingHttpHeaders, body: Buffer, now = Date.now()): void {
    if (this.key === undefined) throw new ProblemError('not-found', 'No mails are taken here.');
    const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => String(headers[name] ?? ''));
    if (!signatures) throw refused('It is not signed.');
    if (!/^\d{1,12}$/.test(timestamp!) || Math.abs(now / 1_000 - Number(timestamp)) > toleranceSeconds) throw refused('Its signature is too old, or from the future.');
    const wanted = createHmac('sha256', this.key).update(`${id}.${timestamp}.`).update(body).digest();
    if (!signatures.split(' ').slice(0, 10).some((one) => isSignature(one, wanted))) throw refused('Its signature is wrong.');
  }
}

function isSignature(text: string, wanted: Buffer): boolean {
  const shown = Buffer.from(text.startsWith('v1,') ? text.slice(3) : '', 'base64');
  return shown.length === wanted.length && timingSafeEqual(shown, wanted);
}

const refused = (detail: string) => new ProblemError('unauthenticated', detail);
