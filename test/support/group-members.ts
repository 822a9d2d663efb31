import { connect } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';

/**
 * Takes every member out of a consumer group, as the broker does by itself with members that have been silent for their session's ten seconds. For tests
 * whose killed processes would otherwise keep their partitions that long; nobody else may be in the group.
 */
export async function forgetMembers(brokers: string, groupId: string): Promise<void> {
  const { members } = await groupOf(brokers, groupId);
  for (const { memberId } of members) await leave(brokers.split(',')[0]!, groupId, memberId);
}

/** How many members share a group's partitions; none while it is being dealt anew. */
export async function memberCount(brokers: string, groupId: string): Promise<number> {
  const { state, members } = await groupOf(brokers, groupId);
  return state === 'Stable' ? members.length : 0;
}

async function groupOf(brokers: string, groupId: string) {
  const admin = new Kafka({ brokers: brokers.split(','), clientId: 'spec-members', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const { groups } = await admin.describeGroups([groupId]);
  await admin.disconnect();
  return groups[0]!;
}


/** LeaveGroup version 1, which any connection may send for any member (and kafkajs only for its own). */
async function leave(broker: string, groupId: string, memberId: string): Promise<void> {
  const [host, port] = broker.split(':');
  const request = Buffer.concat([int16(13), int16(1), int32(1), text('spec-members'), text(groupId), text(memberId)]);
  const socket = connect(Number(port), host);
  socket.write(Buffer.concat([int32(request.length), request]));
  const answer = await new Promise<Buffer>((resolve, reject) => socket.once('data', resolve).once('error', reject));
  socket.destroy();
  const error = answer.readInt16BE(12);
  if (error !== 0) throw new Error(`the broker answered ${error} to the leave of ${memberId}`);
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
