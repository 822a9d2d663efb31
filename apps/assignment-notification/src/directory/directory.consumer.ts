import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { directoryKey, directoryValue, topics, type DirectoryEntry } from '#contracts';
import { readEnvelope, Subscribe, valueOf, type DeadLetter, type IncomingRecord, type Round } from '#messaging';
import { Agenda } from '../assignment/agenda.store.js';
import { unknownRecords } from '../metrics.js';
import { DirectoryStore } from './directory.store.js';

type Entry = Exclude<DirectoryEntry, { kind: 'producer' }>;

/** Keeps what is known of the directory. Who comes, goes or works otherwise may be what tickets wait for. */
@Controller()
export class DirectoryConsumer {
  constructor(
    private readonly directory: DirectoryStore,
    private readonly agenda: Agenda,
  ) {}

  @Subscribe({ topic: topics.directory, group: 'assignment-notification.directory' })
  async keep(@Payload() { records }: Round): Promise<DeadLetter[]> {
    const entries: Entry[] = [];
    const dead: DeadLetter[] = [];
    for (const record of records) {
      const read = readEntry(record);
      if (read === undefined) unknownRecords.inc({ topic: topics.directory });
      else if ('reason' in read) dead.push(read);
      else entries.push(read);
    }
    await this.directory.put(entries);
    await this.agenda.wake(new Set(entries.map(({ orgId }) => orgId)));
    return dead;
  }
}

/** Undefined for what comes as another type: outside systems are no business of this service. */
export function readEntry(record: IncomingRecord): Entry | DeadLetter | undefined {
  if (readEnvelope(record).type !== 'directory.entry.v1') return undefined;
  const value = valueOf(record);
  if ('reason' in value) return value;
  const entry = directoryValue['directory.entry.v1'].safeParse(value.json);
  if (!entry.success) return { record, reason: 'schema-invalid', detail: entry.error.message };
  if (record.key?.toString() !== directoryKey(entry.data)) return { record, reason: 'key-mismatch', detail: 'the key is not the one of the entry' };
  return entry.data;
}
