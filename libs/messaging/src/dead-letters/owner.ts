import type { IncomingRecord } from '../record.js';

/** A value above this is set aside as oversize, and not looked into. */
const largestValue = 512 << 10;

/**
 * The organisation that a dead letter belongs to beyond doubt: its value says so, and nothing in value and headers says otherwise. Null where
 * it cannot be told, which leaves the letter to operators: a header alone proves nothing, since an outside system writes it as it likes.
 */
export function ownerOf({ rawHeaders, value }: Pick<IncomingRecord, 'rawHeaders' | 'value'>): string | null {
  if (value === null || value.length > largestValue) return null;
  const inValue = namedIn(value);
  const inHeaders = rawHeaders.filter(({ key }) => key.toString() === 'ce_orgid').map((header) => header.value?.toString());
  const [owner, ...others] = new Set<unknown>([...inValue, ...inHeaders]);
  return inValue.length > 0 && others.length === 0 && typeof owner === 'string' ? owner : null;
}

/** Whatever a value names as its organisation: `orgId` of our messages; of CloudEvents in structured mode `orgid`, and `orgId` of what they carry. */
export function namedIn(value: Buffer): unknown[] {
  const message = parsed(value);
  if (!isObject(message)) return [];
  const carried = 'specversion' in message && isObject(message['data']) ? message['data']['orgId'] : undefined;
  return [message['orgId'], message['orgid'], carried].filter((found) => found !== undefined);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString());
  } catch {
    return undefined;
  }
}
