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
  const { type } = readEnvelope(record);
  const value = valueOf(record);
  if ('reason' in value) return value;
  if (!isDeadlineMessageType(type)) return type ? undefined : { record, reason: 'schema-invalid', detail: 'ce_type is missing' };
  const read = deadlineValue[type].safeParse(value.json);
  if (!read.success) return { record, reason: 'schema-invalid', detail: read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
  const contradiction = contradictionIn(record, read.data);
  return contradiction ? { record, ...contradiction } : ({ type, ...read.data } as DeadlineNews);
}

/** What keeps a message from being what its record says. Views trust that times are times. */
function contradictionIn(record: IncomingRecord, { orgId, ticketId, deadlines }: Pick<DeadlineNews, 'orgId' | 'ticketId' | 'deadlines'>): Pick<DeadLetter, 'reason' | 'detail'> | undefined {
  const { orgId: told = orgId } = readEnvelope(record);
  if (record.key?.toString() !== ticketId) return { reason: 'key-mismatch', detail: 'the key is not the ticket id' };
  if (told !== orgId) return { reason: 'organisation-mismatch', detail: `ce_orgid is ${told}, the value says ${orgId}` };
  const areTimes = deadlines.every(({ dueAt }) => dueAt === null || !Number.isNaN(Date.parse(dueAt)));
  return areTimes ? undefined : { reason: 'schema-invalid', detail: 'a time is none' };
}
