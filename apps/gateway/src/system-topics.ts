import { Logger } from '@nestjs/common';
import { createTopics, Fault, listTopics, TopicNameTaken, type TopicSpec } from '#messaging';
import type { DirectoryStore } from './directory.store.js';

/** Topics that somebody deleted, or that a store brought back from a copy asks for, are there again after this time, ms. */
const repairMs = 60_000;

/** What the cluster is asked for. */
export interface Cluster {
  names(): Promise<string[]>;
  /** @throws TopicNameTaken; anything else when the cluster does not answer */
  create(topics: readonly TopicSpec[]): Promise<unknown>;
}

export const clusterAt = (brokers: string[]): Cluster => ({ names: () => listTopics(brokers), create: (topics) => createTopics(brokers, topics) });

/** The topics of outside systems: made before anybody is told of a system, and made again where they are missing. */
export class SystemTopics {
  private readonly logger = new Logger('topics');
  private readonly known = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly topicsOf: (system: string) => TopicSpec[],
    private readonly store: Pick<DirectoryStore, 'idsOf'>,
  ) {}

  /** Returns when the topics of a system are there; two at once make them once. @throws TopicNameTaken, Fault when the cluster cannot make them now */
  async make(system: string): Promise<void> {
    if (this.known.has(system)) return;
    try {
      await this.cluster.create(this.topicsOf(system));
    } catch (cause) {
      if (cause instanceof TopicNameTaken) throw cause;
      throw new Fault(`the topics of ${system} cannot be made`, { cause });
    }
    this.known.add(system);
  }

  /** Looks for missing topics now and every minute. */
  start(): void {
    this.timer ??= setInterval(() => this.look(), repairMs);
    this.timer.unref();
    this.look();
  }

  /** Ends what is under way and looks no more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.working;
  }

  /** Makes what is missing of the topics of all systems that are registered; one whose name is taken does not keep the others waiting. */
  async repair(): Promise<void> {
    const systems = await this.store.idsOf('producer');
    if (systems.length === 0) return;
    const present = new Set(await this.cluster.names());
    for (const system of systems) {
      if (this.topicsOf(system).every(({ name }) => present.has(name))) continue;
      this.known.delete(system);
      await this.make(system).catch((error: unknown) => this.logger.warn({ msg: 'an outside system has no topics', system, err: error }));
    }
  }

  private look() {
    this.working ??= this.repair()
      .catch((error: unknown) => this.logger.warn({ msg: 'the topics of outside systems are not looked after', err: error }))
      .finally(() => (this.working = undefined));
  }
}
