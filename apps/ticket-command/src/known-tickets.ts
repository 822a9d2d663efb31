import { LRUCache } from 'lru-cache';
import type { TicketState } from '#domain';
import type { Received } from './command-record.js';

/** About this many bytes of tickets are remembered. */
const budget = 48 * 1024 * 1024;

/**
 * Where the tickets of the owned partitions stand, so that most commands need no read. All commands of a ticket come through one partition,
 * so what this process knows is the newest as long as it has handled that partition without a gap: a gap in the offsets means that
 * another instance was at work meanwhile, and everything known of the partition is forgotten.
 */
export class KnownTickets {
  private readonly tickets = new LRUCache<string, TicketState>({ maxSize: budget, sizeCalculation: bytesOf });
  private readonly stretches = new Map<number, { id: number; next: bigint }>();
  private lastId = 0;

  /** Tells that these commands are about to be handled; forgets what a gap before them has made uncertain. */
  proceed(records: readonly { partition: number; offset: string }[]): void {
    for (const { partition, offset } of records) {
      const stretch = this.stretches.get(partition);
      const at = BigInt(offset);
      if (stretch?.next === at) stretch.next = at + 1n;
      else if (stretch === undefined || at > stretch.next) this.begin(partition, at + 1n);
      // An offset seen before is a round tried again: what is known stays true, and the next offset is where it was.
    }
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

/** Texts weigh two bytes a character at worst; the rest of a ticket about a kilobyte. */
function bytesOf(state: TicketState): number {
  if (state.status === 'none') return 256;
  const { ticket, undelivered } = state;
  return 1_024 + 2 * (ticket.title.length + ticket.description.length) + 200 * Object.keys(ticket.customFields).length + 80 * undelivered.length;
}
