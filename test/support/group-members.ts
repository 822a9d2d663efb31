import { connect } from 'node:net';
import { Kafka, logLevel, type Admin } from 'kafkajs';

/**
 * Takes every member out of a consumer group, as the broker does by itself with members that have been silent for their session's ten seconds. For tests
 * whose killed processes would otherwise keep their partitions that long; nobody else may be in the group.
 */
export async function forgetMembers(brokers: string, groupId: string): Promise<void> {
  await forget(brokers, async () => [groupId]);
}

/** The same with every group of a service, all of whose instances are dead: those whose names begin with it. */
export async function forgetService(brokers: string, service: string): Promise<void> {
  await forget(brokers, async (admin) => (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter((groupId) => groupId === service || groupId.startsWith(`${service}.`)));
}

/** How many members share a group's partitions; unknown while these are being dealt anew. */
export async function memberCount(brokers: string, groupId: string): Promise<number | undefined> {
  const [group] = await withAdmin(brokers, async (admin) => (await admin.describeGroups([groupId])).groups);
  return group!.state === 'Stable' || group!.state === 'Empty' || group!.state === 'Dead' ? group!.members.length : undefined;
}

async function forget(brokers: string, groupsOf: (admin: Admin) => Promise<string[]>): Promise<void> {
  const groups = await withAdmin(brokers, async (admin) => {
    const groupIds = await groupsOf(admin);
    return groupIds.length === 0 ? [] : (await admin.describeGroups(groupIds)).groups;
  });
  for (const { groupId, members } of groups) for (const { memberId } of members) await leave(brokers.split(',')[0]!, groupId, memberId);
}

async function withAdmin<T>(brokers: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: brokers.split(','), clientId: 'spec-members', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  return work(admin).finally(() => admin.disconnect());
}

/** What a broker says of a member that it has forgotten by itself meanwhile. */
const unknownMember = 25;

/** LeaveGroup version 1, which any connection may send for any member (and kafkajs only for its own). */
async function leave(broker: string, groupId: string, memberId: string): Promise<void> {
  const [host, port] = broker.split(':');
  const request = Buffer.concat([int16(13), int16(1), int32(1), text('spec-members'), text(groupId), text(memberId)]);
  const socket = connect(Number(port), host);
  socket.write(Buffer.concat([int32(request.length), request]));
  const answer = await new Promise<Buffer>((resolve, reject) => socket.once('data', resolve).once('error', reject));
  socket.destroy();
  const error = answer.readInt16BE(12);
  if (error !== 0 && error !== unknownMember) throw new Error(`the broker answered ${error} to the leave of ${memberId}`);
}

const text = (value: string) => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
