import { Controller, Inject, Optional } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { topics } from '#contracts';
import { Subscribe, type DeadLetter, type IncomingRecord, type Round } from '#messaging';
import { readCommands, type Received } from './command-record.js';
import { KnownTickets } from './known-tickets.js';
import { TicketHandler } from './ticket.handler.js';

const latency = new Histogram({
  name: 'deskstream_command_latency_seconds',
  help: 'From the door that sent a command to its outcome being published',
  buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60],
});
const commands = new Counter({ name: 'deskstream_commands_total', help: 'Commands handled, by type', labelNames: ['type'] as const });

/** Whether commands may say that they happened earlier: the setting ALLOW_PAST_COMMANDS. */
export const ALLOW_PAST = Symbol('allow past');

/** The command topic: every change of a ticket comes through here. */
@Controller()
export class TicketConsumer {
  /** Records of rounds that did not end well: their commands may be stored already. */
  private readonly tried = new WeakSet<IncomingRecord>();

  constructor(
    private readonly handler: TicketHandler,
    private readonly known: KnownTickets,
    @Optional() @Inject(ALLOW_PAST) private readonly allowPast = false,
  ) {}

  /** One lane: two keep the store no busier on a backlog, and make twice as many rounds, half as large, of a moderate load. */
  @Subscribe({ topic: topics.commands, group: 'ticket-command' })
  async handle({ records }: Round): Promise<DeadLetter[]> {
    const again = records.some((record) => this.tried.has(record));
    for (const record of records) this.tried.add(record);
    this.known.proceed(records);
    const { received, dead } = readCommands(records, { allowPast: this.allowPast });
    await this.handler.handle(received, again).catch((error: unknown) => {
      this.known.doubt(records);
      throw error;
    });
    count(received);
    return dead;
  }
}

function count(received: readonly Received[]) {
  const now = Date.now();
  for (const { command, sentAt } of received) {
    commands.inc({ type: command.type });
    latency.observe(Math.max(0, now - sentAt) / 1_000);
  }
}
