import { generationOf, groupOf } from './generation.js';
import { connectKafka, type Admin } from './kafka.js';

/** Where the records of a topic lie, by partition: from `low` to before `high`. */
export type Extent = readonly { readonly partition: number; readonly low: number; readonly high: number }[];

/** What lies on topics and what consumer groups still have before them, asked of the brokers: for tools that fill topics and wait for services. */
export class Backlog {
  private constructor(private readonly admin: Admin) {}

  /** @throws when no broker can be reached within seconds */
  static async open(brokers: string[]): Promise<Backlog> {
    const retry = { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 };
    const admin = connectKafka({ brokers, clientId: 'deskstream-backlog', requestTimeout: 5_000, retry }).admin({ retry });
    await admin.connect();
    return new Backlog(admin);
  }

  /** What lies on a topic now. */
  async extent(topic: string): Promise<Extent> {
    return (await this.admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
  }

  /** Where a group goes on, by partition; -1 where it has committed nothing. */
  async committed(groupId: string, topic: string): Promise<Map<number, number>> {
    const [group] = await this.admin.fetchOffsets({ groupId, topics: [topic] });
    return new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  /** Records of a topic that a group has not committed yet; all there are for a group that never committed. @param extent what lay there at some time */
  async of(groupId: string, topic: string, extent?: Extent): Promise<number> {
    const [parts, committed] = await Promise.all([extent ?? this.extent(topic), this.committed(groupId, topic)]);
    return parts.reduce((sum, { partition, high, low }) => sum + Math.max(0, high - Math.max(low, committed.get(partition) ?? 0)), 0);
  }

  /**
   * Of a group's generations the one that is asked: the oldest that has members, since a newer one is still being built. Without any members the
   * newest; undefined when there is none.
   */
  async readingNow(group: string): Promise<string | undefined> {
    const generations = (await this.groups()).flatMap((id) => generationOf(id, group) ?? []).sort((one, other) => one - other);
    const all = generations.map((generation) => groupOf(group, generation));
    if (all.length < 2) return all[0];
    const { groups } = await this.admin.describeGroups(all);
    const busy = new Set(groups.filter(({ members }) => members.length > 0).map(({ groupId }) => groupId));
    return all.find((id) => busy.has(id)) ?? all.at(-1);
  }

  /** Whether nobody comes to or goes from these groups just now: members that are being dealt their partitions read nothing. */
  async isSettled(groupIds: readonly string[]): Promise<boolean> {
    const { groups } = await this.admin.describeGroups([...groupIds]);
    return groups.every(({ state }) => state === 'Stable' || state === 'Empty' || state === 'Dead');
  }

  /** Deletes groups with their offsets; those that nobody knows are gone already. @throws while somebody is in one of them */
  async forget(groupIds: readonly string[]): Promise<void> {
    const known = new Set(await this.groups());
    const there = groupIds.filter((id) => known.has(id));
    if (there.length > 0) await this.admin.deleteGroups(there);
  }

  /** Records ever written to a topic, those that retention has removed included. */
  async written(topic: string): Promise<number> {
    return (await this.admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  }

  /** Ids of all consumer groups that the brokers know. */
  async groups(): Promise<string[]> {
    return (await this.admin.listGroups()).groups.map(({ groupId }) => groupId);
  }

  close(): Promise<void> {
    return this.admin.disconnect();
  }
}
