import { Logger } from '@nestjs/common';
import { directoryKey, directoryTypeOf, topics, type DirectoryEntry } from '#contracts';
import { toHeaders, type OutgoingRecord, type RecordProducer } from '#messaging';
import type { DirectoryStore } from './directory.store.js';

/** Changes of the last minutes are told again now and then: a sender that hung or died may have put an older revision behind them. */
const recentMs = 300_000;
const repeatMs = 60_000;
const lookMs = 1_000;
const patienceMs = 10_000;

/** Brings every change of the directory onto `directory.v1`: what a crash left unpublished, and the newest revision last. An entry that is not ready keeps no other waiting. */
export class DirectoryPublisher {
  private readonly logger = new Logger('directory');
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private repeatedAt = 0;

  constructor(
    private readonly store: Pick<DirectoryStore, 'find' | 'unpublished' | 'changedSince' | 'markPublished'>,
    private readonly producer: Pick<RecordProducer, 'send'>,
    private readonly now: () => number = Date.now,
    /** Makes what an entry promises to those who read of it; false while it cannot. */
    private readonly isReady: (entry: DirectoryEntry) => Promise<boolean> = async () => true,
  ) {}

  /** Looks for what must be published, now and every second. */
  start(): void {
    this.timer ??= setInterval(() => this.look(), lookMs);
    this.timer.unref();
    this.look();
  }

  /** Ends what is under way and looks no more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.working;
  }

  /** Publishes everything that waits for it. */
  async publishWaiting(): Promise<void> {
    for (const entry of await this.store.unpublished()) if (await this.isReady(entry)) await this.publish(entry);
  }

  /** Publishes an entry, and its newer revisions until the last one sent is the current one: what was sent slowly may stand behind a newer one. */
  async publish(entry: DirectoryEntry): Promise<void> {
    for (let current: DirectoryEntry | null = entry; current !== null; current = await this.store.find(directoryKey(entry))) {
      await this.producer.send([recordOf(current, new Date(this.now()))], { deadline: this.now() + patienceMs });
      if (await this.store.markPublished(current)) return;
    }
  }

  private look() {
    this.working ??= this.work()
      .catch((error: unknown) => this.logger.warn({ msg: 'the directory is not published yet', err: error }))
      .finally(() => (this.working = undefined));
  }

  private async work() {
    await this.publishWaiting();
    if (this.now() - this.repeatedAt < repeatMs) return;
    for (const entry of await this.store.changedSince(new Date(this.now() - recentMs))) await this.publish(entry);
    this.repeatedAt = this.now();
  }
}

/** `ce_subject` names tickets only, so an entry has none. */
function recordOf(entry: DirectoryEntry, time: Date): OutgoingRecord {
  const key = directoryKey(entry);
  const id = `${key}:${entry.revision}`;
  const envelope = { id, type: directoryTypeOf(entry), source: `/organisations/${entry.orgId}/directory`, subject: key, time: time.toISOString(), orgId: entry.orgId };
  const { ce_subject: _, ...headers } = toHeaders(envelope);
  return { topic: topics.directory, key, value: JSON.stringify(entry), headers };
}
