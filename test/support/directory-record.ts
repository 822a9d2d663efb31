import { directoryKey, directoryTypeOf, topics, type Availability, type DirectoryEntry, type KnownMember } from '#contracts';
import { RecordProducer, toHeaders } from '#messaging';

/** Tells services of entries of the directory, as a gateway does. */
export async function tellDirectory(brokers: string, entries: readonly DirectoryEntry[]): Promise<void> {
  const producer = new RecordProducer({ brokers: brokers.split(','), clientId: 'test-directory' });
  await producer.connect();
  await producer.send(
    entries.map((entry) => {
      const key = directoryKey(entry);
      const headers = toHeaders({ id: `${key}:${entry.revision}`, type: directoryTypeOf(entry), source: '/gateway', subject: key, time: new Date().toISOString(), orgId: entry.orgId });
      return { topic: topics.directory, key, value: JSON.stringify(entry), headers };
    }),
  );
  await producer.close();
}

/** A member who is there at all times, but for what is said otherwise. */
export const memberEntry = (orgId: string, revision: number, { availability, ...member }: Omit<KnownMember, 'availability'> & { availability?: Partial<Availability> }): DirectoryEntry => ({
  orgId,
  kind: 'member',
  id: member.id,
  revision,
  deleted: false,
  value: { ...member, availability: { timeZone: 'Europe/Berlin', workingHours: null, away: null, capacity: null, ...availability } },
});
