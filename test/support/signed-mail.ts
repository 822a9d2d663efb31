import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { eventually } from './eventually.js';

/** A secret as the gateway's environment has it. */
export const mailSecret = `whsec_${randomBytes(32).toString('base64')}`;

/** What a mail server may do otherwise than it should. */
interface Handing {
  secret?: string;
  at?: number;
  type?: string;
}

/** Hands a mail in as a mail server does: again where it cannot be taken right now. */
export const handedIn = (gatewayUrl: string, raw: string | Buffer, how?: Handing) =>
  eventually(async () => {
    const answer = await handIn(gatewayUrl, raw, how);
    return answer.status !== 503 && answer;
  });

/** Hands a mail in once. */
export async function handIn(gatewayUrl: string, raw: string | Buffer, { secret = mailSecret, at = Date.now(), type = 'message/rfc822' }: Handing = {}) {
  const body = Buffer.from(raw as string);
  const [id, timestamp] = [randomUUID(), String(Math.floor(at / 1_000))];
  const signature = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const headers = { 'content-type': type, 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  const response = await fetch(`${gatewayUrl}/v1/inbound-email`, { method: 'POST', headers, body });
  const text = await response.text();
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- specs look into answers of every shape
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as any };
}

/** A mail of plain text; further headers by name. */
export function mailText(headers: Record<string, string>, text = 'Hello there'): string {
  const all = { 'Message-ID': `<${randomUUID()}@mail.example>`, Date: new Date().toUTCString(), Subject: 'A question', ...headers };
  return `${Object.entries(all).map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${text}\r\n`;
}
