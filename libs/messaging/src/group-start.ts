import { clusterOf, type Admin, type Kafka } from './kafka.js';

/** A group that is to begin where its topic was at a time. */
export interface GroupStart {
  readonly groupId: string;
  readonly topic: string;
  /** Before the first record that was written then or later, ms since the epoch; at the end where there is none. */
  readonly since: number;
}

/** What the coordinator says of a group that has members by now: one of them was faster. */
const taken = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS']);

/**
 * Commits where a group begins, unless it has committed something already. Of several processes at once one may set it back that another one has brought on
 * a little: records come again then, none is passed over. @throws when the brokers do not answer
 */
export async function placeGroup(client: Kafka, admin: Admin, { groupId, topic, since }: GroupStart): Promise<void> {
  const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
  if (group?.partitions.some(({ offset }) => Number(offset) >= 0)) return;
  const starts = await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, since));
  const partitions = starts.map(({ partition, offset }) => ({ partition, offset }));
  const cluster = clusterOf(client);
  await cluster.connect();
  try {
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    // As nobody's member: brokers take that of a group without members, and of no other.
    await coordinator.offsetCommit({ groupId, groupGenerationId: -1, memberId: '', topics: [{ topic, partitions }] });
  } catch (error) {
    if (!taken.has((error as { type?: string }).type ?? '')) throw error;
  } finally {
    await cluster.disconnect();
  }
}
