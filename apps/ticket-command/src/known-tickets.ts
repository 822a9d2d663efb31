import { LRUCache } from 'lru-cache';
import type { TicketState } from '#domain';
import type { Received } from './command-record.js';

/** About this many bytes of tickets are remembered. */
const defaultBudget = 12 * 1024 * 1024;

/**
 * Where the tickets of the owned partitions stand, so that most commands need no read. All commands of a ticket come through one partition,
 * so what this process knows is the newest as long as it has handled that partition without a gap and to the end: a gap in the offsets, or a round
 * that failed, means that another instance may have been at work meanwhile, and everything known of the partition is forgotten.
 */
export class KnownTickets {
  private readonly tickets: LRUCache<string, TicketState>;
  private readonly stretches = new Map<number, { id: number; next: bigint }>();
  private lastId = 0;

  constructor(budget = defaultBudget) {
    this.tickets = new LRUCache({ maxSize: budget, sizeCalculation: bytesOf });
  }

  /** Tells that these records are about to be handled; forgets what a gap before them, or their being here again, has made uncertain. */
  proceed(records: readonly { partition: number; offset: string }[]): void {
    for (const { partition, offset } of records) {
      const stretch = this.stretches.get(partition);
      const at = BigInt(offset);
      if (stretch?.next === at) stretch.next = at + 1n;
      else this.begin(partition, at + 1n);
    }
  }

  /** These records were not handled to their end: whoever does that, here or elsewhere, may make of them what this process does not know. */
  doubt(records: readonly { partition: number }[]): void {
    for (const { partition } of records) this.stretches.delete(partition);
  }

  get(received: Received): TicketState | undefined {
    return this.tickets.get(this.key(received));
  }

  set(received: Received, state: TicketState): void {
    this.tickets.set(this.key(received), state);
  }

  forget(received: Received): void {
    this.tickets.delete(this.key(received));
  }

  private begin(partition: number, next: bigint) {
    this.lastId += 1;
    this.stretches.set(partition, { id: this.lastId, next });
  }

  private key({ command, source }: Received) {
    return `${this.stretches.get(source.partition)?.id}/${command.orgId}/${command.ticketId}`;
  }
}

/** Bytes of a ticket in memory, estimated: texts at two bytes a character, and something for everything that holds them. */
function bytesOf(state: TicketState): number {
  if (state.status === 'none') return 256;
  const { ticket, undelivered } = state;
  const { title, description, tags, requester, customFields, externalId } = ticket;
  const texts = [title, description, externalId ?? '', ...tags, ...Object.values(requester ?? {}), ...Object.entries(customFields).flat().map(String)];
  return 2_048 + texts.reduce((sum, text) => sum + 32 + 2 * text.length, 0) + 64 * undelivered.length;
}
