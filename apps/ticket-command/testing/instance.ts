import { topics, type CommandResult, type EventValue, type TicketCommand } from '#contracts';
import { toHeaders, type DeadLetter, type IncomingRecord, type OutgoingRecord } from '#messaging';
import type { Commit, CommitKey } from '#persistence';
import { ticketId } from '../../../libs/contracts/testing/builders.js';
import { InMemoryCommitLog, type InMemoryOptions, type Moment } from '../../../libs/persistence/testing/in-memory-commit-log.js';
import { InboundResults } from '../src/inbound/inbound-results.js';
import { KnownTickets } from '../src/known-tickets.js';
import { Outcomes } from '../src/outcomes.js';
import { TicketConsumer } from '../src/ticket.consumer.js';
import { TicketHandler } from '../src/ticket.handler.js';

/** What instances share: the store, the counter of numbers, and the topics they write. */
export class World {
  readonly stored = new Map<string, Commit>();
  readonly published: OutgoingRecord[] = [];
  private lastNumber = 1_000;

  take(count: number): number[] {
    return Array.from({ length: count }, () => (this.lastNumber += 1));
  }

  get events(): (EventValue & { type: string })[] {
    return this.on(topics.events).map(({ value, headers }) => ({ ...(JSON.parse(String(value)) as EventValue), type: String((headers as Record<string, string>)['ce_type']) }));
  }

  get results(): CommandResult[] {
    return this.on(topics.results).map(({ value }) => JSON.parse(String(value)) as CommandResult);
  }

  resultsOf(commandId: string): CommandResult[] {
    return this.results.filter((result) => result.commandId === commandId);
  }

  /** Versions of a ticket as they were told, repeats too. */
  versions(ticket = ticketId): number[] {
    return this.events.filter((event) => event.ticketId === ticket).map(({ version }) => version);
  }

  /** Answers as they were told, a line each. */
  outcomes(): string[] {
    return this.results.map(({ commandId, outcome, version, duplicate }) => `${commandId} ${outcome} ${version ?? '-'}${duplicate ? ' again' : ''}`);
  }

  on(topic: string): OutgoingRecord[] {
    return this.published.filter((record) => record.topic === topic);
  }
}

export interface InstanceOptions {
  /** Called at every moment of the commit log and around every record that is published; it may throw or let others act. */
  at?: (moment: Moment | 'before send' | 'after send' | 'before numbers', what: readonly (CommitKey | OutgoingRecord)[]) => void | Promise<void>;
  clock?: () => number;
  refuses?: NonNullable<InMemoryOptions['refuses']>;
  /** Bytes of tickets that are remembered. */
  memory?: number;
  /** How many commits a look-up answers at most. */
  room?: number;
}

/** One ticket-command in memory: the real consumer and handler between twins of store and broker. */
export function instanceIn(world: World, { at = () => undefined, clock = Date.now, refuses, memory, room }: InstanceOptions = {}) {
  const reads: Moment[] = [];
  const watched: NonNullable<InMemoryOptions['at']> = (moment, commits) => {
    if (moment.startsWith('before')) reads.push(moment);
    return at(moment, commits);
  };
  const log = new InMemoryCommitLog({ stored: world.stored, at: watched, ...(refuses && { refuses }), ...(room && { room }) });
  const numbers = {
    async take(_orgId: string, count: number) {
      await at('before numbers', []);
      return world.take(count);
    },
  };
  const producer = {
    async send(records: readonly OutgoingRecord[]) {
      for (const record of records) {
        await at('before send', [record]);
        world.published.push(record);
        await at('after send', [record]);
      }
    },
  };
  const systems = new InboundResults({ of: async () => ({ ...producer, topics: async () => [] }) });
  const known = new KnownTickets(memory);
  const consumer = new TicketConsumer(new TicketHandler(log, numbers, new Outcomes(producer, systems), known, clock), known);
  const signal = new AbortController().signal;
  return {
    known,
    /** What the store was asked, in order, and empties the list. */
    asked: () => reads.splice(0).map((moment) => moment.slice('before '.length)),
    handle: (records: readonly IncomingRecord[]): Promise<DeadLetter[]> => consumer.handle({ records, signal }),
  };
}

type RecordChanges = Partial<Omit<IncomingRecord, 'headers'>> & { headers?: Record<string, string | undefined> };

/** The record of a command on its topic; `changes` make it another, or a broken one. A header that is undefined is left out. */
export function recordOf({ type, commandId, ...value }: TicketCommand, { headers, ...changes }: RecordChanges = {}): IncomingRecord {
  const { ticketId, orgId } = value;
  const envelope = toHeaders({ id: commandId, type, source: '/gateway', subject: ticketId, time: '2026-01-01T12:00:00.000Z', orgId });
  const all = Object.fromEntries(Object.entries({ ...envelope, ...headers }).filter(([, text]) => text !== undefined)) as Record<string, string>;
  return {
    topic: topics.commands,
    partition: 0,
    offset: '0',
    timestamp: '1767268800000',
    key: Buffer.from(ticketId),
    value: Buffer.from(JSON.stringify(value)),
    headers: all,
    rawHeaders: Object.entries(all).map(([key, text]) => ({ key: Buffer.from(key), value: Buffer.from(text) })),
    ...changes,
  };
}

/** The records of commands on one partition, in order, from an offset on. */
export const recordsOf = (commands: readonly TicketCommand[], { from = 0, partition = 0 } = {}): IncomingRecord[] =>
  commands.map((command, index) => recordOf(command, { partition, offset: String(from + index) }));
