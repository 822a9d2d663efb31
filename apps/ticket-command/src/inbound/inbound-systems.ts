import type { OnApplicationBootstrap } from '@nestjs/common';
import type { DirectoryFollower, Reading } from '#messaging';
import type { DirectoryCopy } from './directory-copy.js';
import { inboundReading, type InboundParts } from './inbound.reader.js';

/** What all readers share. */
export type ReadingParts = Omit<InboundParts, 'directory'>;

/**
 * Reads the topic of every outside system that some organisation lets do something. Systems come while the service runs; none goes: what one sends that
 * nobody lets do anything any more is refused record by record. Were it left lying, it would be done once the system is let in again.
 */
export class InboundSystems implements OnApplicationBootstrap {
  private readonly read = new Set<string>();
  private transport: { read(reading: Reading): unknown } | undefined;

  constructor(
    private readonly follower: DirectoryFollower<DirectoryCopy>,
    private readonly parts: ReadingParts,
  ) {}

  /** Whether it is known whom to read. */
  get isReady(): boolean {
    return this.follower.directory.isComplete;
  }

  readBy(transport: { read(reading: Reading): unknown }): void {
    this.transport = transport;
  }

  /** When everything that a round needs stands. Reading begins once the directory was read to its end. */
  onApplicationBootstrap(): void {
    this.follower.start(() => {
      for (const system of this.follower.directory.systems) if (!this.read.has(system)) this.begin(system);
    });
  }

  private begin(system: string): void {
    this.read.add(system);
    this.transport?.read(inboundReading(system, { ...this.parts, directory: this.follower.directory }));
  }
}
