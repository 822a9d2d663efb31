import type { IncomingMail } from './mail.reader.js';

type Headers = IncomingMail['headers'];

/** Why a mail is nobody's words; undefined where somebody wrote it. */
export function automaticBy({ headers, from }: Pick<IncomingMail, 'headers' | 'from'>): string | undefined {
  return signs.find(([, isIt]) => isIt(headers, from.address))?.[0];
}

/** What programs say of themselves (RFC 3834, RFC 3464), and what they are known to do. A list's mail is of a person, but nobody's request. */
const signs: readonly (readonly [string, (headers: Headers, from: string) => boolean])[] = [
  ['auto-submitted', (headers) => (headers.get('auto-submitted') ?? 'no').split(';')[0]!.trim() !== 'no'],
  ['null-return-path', (headers) => headers.get('return-path')?.replace(/\s/g, '') === '<>'],
  ['precedence', (headers) => /^(bulk|junk|list|auto_reply)$/.test(headers.get('precedence') ?? '')],
  ['auto-reply', (headers) => headers.has('x-autoreply') || headers.has('x-autorespond') || headers.has('x-failed-recipients')],
  ['delivery-report', (headers) => (headers.get('content-type') ?? '').startsWith('multipart/report')],
  ['mailing-list', (headers) => headers.has('list-id')],
  ['daemon', (_, from) => /^(mailer-daemon|postmaster)@/i.test(from)],
];

/** The number that a subject names as ours do: `[#1042]`. */
export function numberIn(subject: string): number | undefined {
  const [, number] = /\[#(\d{1,15})\]/.exec(subject) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** Whether an address is somebody's, as far as servers tell: what stands behind the at is without case, and hardly anybody tells cases before it apart. */
export const isSameAddress = (one: string | undefined, other: string): boolean => one !== undefined && one.toLowerCase() === other.toLowerCase();
