import { randomUUID } from 'node:crypto';
import { maxCommandBytes, topics, type CommandResult, type CommandType, type CommandValue } from '#contracts';
import { NotAcknowledged, Overloaded, toHeaders, type OutgoingRecord, type RecordProducer } from '#messaging';
import { ProblemError } from '#observability';
import { accepted, outcomeSeconds } from './metrics.js';
import type { PendingCommands } from './pending-commands.store.js';
import type { ResultWaiters, Waiter } from './result-waiters.js';
import { unavailable } from './unavailable.js';

/** How long a request waits in all for acknowledgement and outcome, ms. */
export const patienceMs = 2_000;

/** A command on its way. */
export interface Outgoing<T extends CommandType = CommandType> {
  type: T;
  commandId: string;
  value: CommandValue<T>;
  traceparent?: string | undefined;
}

/** Sends commands to ticket-command and waits for what became of them. */
export class CommandBus {
  constructor(
    private readonly producer: Pick<RecordProducer, 'send'>,
    private readonly waiters: ResultWaiters,
    private readonly pending: Pick<PendingCommands, 'remember'>,
    private readonly patience = patienceMs,
  ) {}

  /**
   * Resolves with the command's result once broker and ticket-command have spoken, or with `pending` when the outcome takes longer than 2 s
   * (or is not waited for); then who asked is stored, and the command's status can be asked for anywhere.
   * @throws ProblemError 503 without the broker's acknowledgement or without that note, 422 when the key was used for another request, 413
   */
  async send(command: Outgoing, { respondAsync = false } = {}): Promise<CommandResult | 'pending'> {
    const attempt = randomUUID();
    const record = recordOf(command, attempt);
    const startedAt = performance.now();
    const waiter = this.waiters.expect(command.commandId, attempt, this.patience);
    try {
      const outcome = await this.outcome(command, record, waiter, respondAsync);
      outcomeSeconds.observe({ type: command.type, outcome: outcome === 'pending' ? outcome : outcome.outcome }, (performance.now() - startedAt) / 1_000);
      return outcome;
    } finally {
      waiter.leave();
    }
  }

  private async outcome(command: Outgoing, record: OutgoingRecord, waiter: Waiter, respondAsync: boolean) {
    await this.acknowledged(record, waiter);
    const result = respondAsync ? undefined : await waiter.result;
    if (result !== undefined) return ownResult(command, result);
    await this.remember(command);
    accepted.inc({ why: respondAsync ? 'asked' : 'late' });
    // A result that came while the note was stored is the better answer.
    return waiter.arrived === undefined || respondAsync ? 'pending' : ownResult(command, waiter.arrived);
  }

  /** A result is read only of a command that the broker has acknowledged, so it stands for a lost acknowledgement. */
  private async acknowledged(record: OutgoingRecord, waiter: Waiter): Promise<void> {
    try {
      await this.producer.send([record], { deadline: Date.now() + this.patience });
    } catch (error) {
      if (waiter.arrived === undefined) throw refusal(error);
    }
  }

  private async remember({ commandId, value: { orgId, actor, access, ticketId } }: Outgoing): Promise<void> {
    try {
      await this.pending.remember({ orgId, actor, access }, commandId, ticketId);
    } catch (cause) {
      throw unavailable('The outcome takes long and cannot be looked up later. A retry with the same Idempotency-Key is safe.', cause);
    }
  }
}

function ownResult({ value }: Outgoing, result: CommandResult): CommandResult {
  if (result.payloadHash === value.payloadHash) return result;
  throw new ProblemError('idempotency-key-reused', 'The Idempotency-Key was used for another request.');
}

function recordOf({ type, commandId, value, traceparent }: Outgoing, attempt: string): OutgoingRecord {
  const { orgId, ticketId } = value;
  const body = Buffer.from(JSON.stringify(value));
  if (body.length > maxCommandBytes) throw new ProblemError('payload-too-large', 'The command would be too large.');
  const envelope = { id: commandId, type, source: '/gateway', subject: ticketId, time: new Date().toISOString(), orgId, attempt };
  return { topic: topics.commands, key: ticketId, value: body, headers: toHeaders(traceparent === undefined ? envelope : { ...envelope, traceparent }) };
}

function refusal(error: unknown): unknown {
  if (error instanceof Overloaded) return new ProblemError('overloaded', 'Too many commands wait for the broker.', {}, { 'retry-after': '1' });
  if (error instanceof NotAcknowledged) {
    return unavailable('The broker did not acknowledge the command in time. A retry with the same Idempotency-Key is safe.', error);
  }
  return error instanceof RangeError ? new ProblemError('payload-too-large', 'The command would be too large.') : error;
}
