import { deadlineValue, isDeadlineMessageType, type DeadlineNews } from '#contracts';
import { readEnvelope } from './envelope.js';
import type { DeadLetter, IncomingRecord, Round } from './record.js';
import { valueOf } from './ticket-events.js';

/** What a round of the deadlines topic holds. */
export interface ReadDeadlines {
  news: DeadlineNews[];
  dead: DeadLetter[];
  /** How many records are of a type that is not known here (yet). */
  unknown: number;
}

/** Reads a round of the deadlines topic. Nothing behind it checks again. */
export function deadlinesIn({ records }: Round): ReadDeadlines {
  const round: ReadDeadlines = { news: [], dead: [], unknown: 0 };
  for (const record of records) {
    const read = newsIn(record);
    if (read === undefined) round.unknown += 1;
    else if ('reason' in read) round.dead.push(read);
    else round.news.push(read);
  }
  return round;
}

/** Undefined for a type that is not known here (yet). */
function newsIn(record: IncomingRecord): DeadlineNews | DeadLetter | undefined {
  const { type, orgId } = readEnvelope(record);
  const value = valueOf(record);
  if ('reason' in value) return value;
  if (!isDeadlineMessageType(type)) return type ? undefined : { record, reason: 'schema-invalid', detail: 'ce_type is missing' };
  const read = deadlineValue[type].safeParse(value.json);
  if (!read.success) return { record, reason: 'schema-invalid', detail: read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
  const { data } = read;
  if (record.key?.toString() !== data.ticketId) return { record, reason: 'key-mismatch', detail: 'the key is not the ticket id' };
  if (orgId !== undefined && orgId !== data.orgId) return { record, reason: 'organisation-mismatch', detail: `ce_orgid is ${orgId}, the value says ${data.orgId}` };
  const areTimes = data.deadlines.every(({ dueAt }) => dueAt === null || !Number.isNaN(Date.parse(dueAt)));
  return areTimes ? ({ type, ...data } as DeadlineNews) : { record, reason: 'schema-invalid', detail: 'a time is none' };
}
