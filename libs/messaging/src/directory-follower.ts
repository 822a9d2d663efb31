import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DirectoryEntry, topics } from '#contracts';
import type { DirectoryEntries } from './directory-entries.js';
import type { IncomingRecord } from './record.js';
import { TopicReader } from './topic-reader.js';

const lookMs = 500;
const logger = new Logger('directory');

/** Reads the whole of `directory.v1` into memory, and twice a second what has come to it. Every instance reads all of it, so it takes part in no group. */
export class DirectoryFollower<T extends DirectoryEntries = DirectoryEntries> {
  private readonly stopping = new AbortController();
  private readonly next = new Map<number, number>();
  private following: Promise<void> | undefined;

  constructor(
    private readonly brokers: string[],
    readonly directory: T,
  ) {}

  /** @param onRead called whenever it was read to its end */
  start(onRead: () => void): void {
    this.following ??= this.follow(onRead);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  private async follow(onRead: () => void): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.readOn(onRead).catch((error: unknown) => logger.warn({ msg: 'the directory cannot be read right now', err: error }));
      await this.pause();
    }
  }

  /** With one connection, for as long as that works. */
  private async readOn(onRead: () => void): Promise<void> {
    const reader = await TopicReader.open(this.brokers);
    try {
      for (; !this.stopping.signal.aborted; await this.pause()) {
        await this.readToEnd(reader);
        this.directory.readToEnd();
        onRead();
      }
    } finally {
      await reader.close();
    }
  }

  private async readToEnd(reader: TopicReader): Promise<void> {
    for (const { partition, low, high } of await reader.extent(topics.directory)) {
      const seen = this.next.get(partition) ?? 0;
      const from = seen > high ? low : Math.max(seen, low); // a topic that was made anew begins again
      await reader.read({ topic: topics.directory, partition, from, to: high }, (record) => this.take(record));
      this.next.set(partition, high);
    }
  }

  /** What is not understood is passed over: a newer gateway may write kinds that are not known here. */
  private take({ key, value }: IncomingRecord): void {
    try {
      this.directory.take(DirectoryEntry.parse(JSON.parse(value?.toString() ?? '')));
    } catch (error) {
      logger.warn({ msg: 'an entry of the directory is passed over', key: key?.toString(), err: error });
    }
  }

  private async pause(): Promise<void> {
    await sleep(lookMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
