import type { IncomingMessage } from 'node:http';
import { IdempotencyKey, IfMatch, MinVersion } from '#contracts';
import { ProblemError } from '#observability';

/** What the headers of a write ask for. */
export interface WriteConditions {
  idempotencyKey: string | undefined;
  /** `If-Match` as it was sent: a repeat with another one is another request. */
  ifMatch: string | undefined;
  /** The version that `If-Match` demands; `*` demands none. */
  expectedVersion: number | undefined;
  respondAsync: boolean;
}

/** How often a header was sent. Node joins or drops repeats before anybody can see them. */
export function headerCount(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i]!;
    if (header.length === name.length && header.toLowerCase() === name) count += 1;
  }
  return count;
}

/** Whether a request brings a body, told by its framing. */
export const hasBody = ({ headers }: Pick<IncomingMessage, 'headers'>) =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0');

const json = 'application/json';

/**
 * Refuses answers in other forms than the route's, which is JSON unless told otherwise, and bodies in other forms than JSON (contract section 5).
 * @throws ProblemError
 */
export function demandJson(request: IncomingMessage, types: readonly string[] = [json]): void {
  const { accept } = request.headers;
  if (accept !== undefined && accept !== '*/*' && !types.some((type) => accepts(accept, type))) throw new ProblemError('not-acceptable', `Answers come as ${types.join(', ')} only.`);
  if (hasBody(request)) demandJsonBody(request);
}

function demandJsonBody({ method, headers, rawHeaders }: IncomingMessage) {
  if (method === 'GET' || method === 'HEAD') throw new ProblemError('malformed-request', `A ${method} takes no body.`);
  const type = headers['content-type'] ?? '';
  if (!isJsonType(type, method === 'PATCH') || headerCount(rawHeaders, 'content-type') > 1) {
    throw new ProblemError('unsupported-media-type', 'Send the body as application/json in UTF-8.');
  }
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() !== 'identity') throw new ProblemError('unsupported-media-type', 'Send the body without a content coding.');
}

const jsonTypes = /^application\/json\s*(?:;\s*charset="?utf-?8"?\s*)?;?\s*$/i;
const patchTypes = /^application\/(?:merge-patch\+)?json\s*(?:;\s*charset="?utf-?8"?\s*)?;?\s*$/i;
const isJsonType = (type: string, isPatch: boolean) => type === 'application/json' || (isPatch ? patchTypes : jsonTypes).test(type);

/** RFC 9110: the most specific range that matches decides; a weight of zero refuses. */
function accepts(accept: string, type: string): boolean {
  let best = { rank: -1, isWelcome: false };
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const rank = ['*/*', `${type.split('/')[0]}/*`, type].indexOf(range);
    if (rank > best.rank) best = { rank, isWelcome: !parameters.some((parameter) => /^q\s*=\s*0(\.0*)?$/.test(parameter)) };
  }
  return best.isWelcome;
}

/** Reads what a write's headers ask for. @throws ProblemError 400 */
export function writeConditions({ headers, rawHeaders }: IncomingMessage): WriteConditions {
  const ifMatch = headers['if-match'];
  return {
    idempotencyKey: idempotencyKey(headers['idempotency-key'], rawHeaders),
    ifMatch,
    expectedVersion: ifMatch === undefined ? undefined : expectedVersion(ifMatch),
    respondAsync: prefersAsync(headers['prefer']),
  };
}

function idempotencyKey(given: string | string[] | undefined, rawHeaders: readonly string[]): string | undefined {
  if (given === undefined) return undefined;
  if (headerCount(rawHeaders, 'idempotency-key') > 1) throw new ProblemError('idempotency-key-invalid', 'Idempotency-Key must be sent once.');
  if (typeof given === 'string' && IdempotencyKey.safeParse(given).success) return given;
  throw new ProblemError('idempotency-key-invalid', 'Idempotency-Key must have 1 to 255 printable ASCII characters.');
}

/** A strong entity tag as we give them. A weak one never matches a write (RFC 9110), so it can only be a mistake. */
function expectedVersion(ifMatch: string): number | undefined {
  if (!IfMatch.safeParse(ifMatch).success) throw new ProblemError('malformed-request', 'If-Match must be one ETag of the ticket, such as "3", or *.');
  const tag = ifMatch.trim();
  return tag === '*' ? undefined : Number(tag.slice(1, -1));
}

const prefersAsync = (prefer: string | string[] | undefined) =>
  prefer !== undefined && [prefer].flat().some((value) => /(?:^|,)\s*respond-async\s*(?:[,;]|$)/i.test(value));

/** `X-Min-Version`, checked and passed on. @throws ProblemError 400 */
export function minVersion({ headers }: IncomingMessage): string | undefined {
  const given = headers['x-min-version'];
  if (given === undefined) return undefined;
  const { data } = MinVersion.safeParse(given);
  if (data !== undefined) return data;
  throw new ProblemError('malformed-request', 'X-Min-Version must be a version: 1, 2, 3 …');
}
