import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DirectoryFollower, ProducerPool, type Reading } from '#messaging';
import { outboundReading, streamGroup } from './outbound.reader.js';
import { Registrations, type Stream } from './registrations.js';

interface Reader {
  read(reading: Reading): { end(): Promise<void> };
}

/**
 * Tells outside systems what happens, each on its topic: one consumer, group and producer for every stream that the directory asks for, so that none waits for
 * another one. Streams come and go while the service runs.
 */
export class OutboundStreams implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('outbound');
  private readonly follower: DirectoryFollower<Registrations>;
  private readonly producers: ProducerPool;
  /** How to end those that are read; those that are ending are not asked again. */
  private readonly running = new Map<string, { end: () => Promise<void>; ending?: Promise<void> }>();
  private reader: Reader | undefined;

  constructor(brokers: string[]) {
    this.follower = new DirectoryFollower(brokers, new Registrations());
    this.producers = new ProducerPool({ brokers, clientId: 'assignment-notification-outbound' });
  }

  /** Whether it is known whom to tell. */
  get isReady(): boolean {
    return this.follower.directory.isComplete;
  }

  /** Without somebody who reads nobody is told anything. */
  readBy(reader: Reader): void {
    this.reader = reader;
  }

  onApplicationBootstrap(): void {
    const { reader } = this;
    if (reader) this.follower.start(() => this.look(reader));
  }

  /** After the transport has drained: it sends until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.follower.stop();
    await Promise.all([...this.running.values()].flatMap(({ ending }) => ending ?? []));
    await this.producers.close();
  }

  /** A stream that is asked for while it ends begins again at a later look. */
  private look(reader: Reader): void {
    const asked = new Map(this.follower.directory.streams.map((stream) => [streamGroup(stream), stream]));
    for (const [group, stream] of asked) if (!this.running.has(group)) this.begin(group, stream, reader);
    for (const [group, stream] of this.running) if (!asked.has(group)) stream.ending ??= this.end(group, stream);
  }

  private begin(group: string, stream: Stream, reader: Reader): void {
    this.logger.log({ msg: 'an outside system is told what happens', ...stream });
    this.running.set(group, reader.read(outboundReading(stream, { registrations: this.follower.directory, producers: this.producers })));
  }

  private async end(group: string, { end }: { end: () => Promise<void> }): Promise<void> {
    this.logger.log({ msg: 'an outside system is told nothing more', group });
    await end().catch((error: unknown) => this.logger.warn({ msg: 'a stream ended uncleanly', group, err: error }));
    await this.producers.end(group);
    this.running.delete(group);
  }
}
