import { connectKafka, type Admin } from './kafka.js';

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

  /** Records of a topic that a group has not committed yet; all there are for a group that never committed. */
  async of(groupId: string, topic: string): Promise<number> {
    const [ends, groups] = await Promise.all([this.admin.fetchTopicOffsets(topic), this.admin.fetchOffsets({ groupId, topics: [topic] })]);
    const committed = new Map(groups[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    return ends.reduce((sum, { partition, high, low }) => sum + Number(high) - Math.max(Number(low), committed.get(partition) ?? 0), 0);
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
