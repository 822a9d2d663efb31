import { setTimeout as delay } from 'node:timers/promises';
import { topics } from '#contracts';
import { type OutgoingRecord, RecordProducer, toHeaders } from '#messaging';
import type { PlannedCommand } from './mixed-load.js';

/** Sends commands to the topic as a gateway does, and remembers all that it sent. */
export class CommandClient {
  readonly sent: PlannedCommand[] = [];
  readonly #producer: RecordProducer;

  private constructor(brokers: string) {
    this.#producer = new RecordProducer({ brokers: brokers.split(','), clientId: 'crash-client' });
  }

  static async open(brokers: string): Promise<CommandClient> {
    const client = new CommandClient(brokers);
    await client.#producer.connect();
    return client;
  }

  /**
   * Resolves when the broker has acknowledged them all. Without an acknowledgement all are sent again, from the first, as callers with an
   * idempotency key do: how often each one arrived is told by the topic.
   */
  async send(commands: readonly PlannedCommand[]): Promise<void> {
    this.sent.push(...commands);
    const records = commands.map(recordOf);
    for (const deadline = Date.now() + 180_000; ; ) {
      try {
        return await this.#producer.send(records);
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  }

  /** Sends them at a steady pace, whatever becomes of them: a piece every 100 ms. */
  stream(commands: readonly PlannedCommand[], size: number): Promise<void> {
    const streaming = this.#stream(commands, size);
    streaming.catch(() => undefined); // told to who waits for it; a test that failed meanwhile does not
    return streaming;
  }

  async close(): Promise<void> {
    await this.#producer.close();
  }

  async #stream(commands: readonly PlannedCommand[], size: number): Promise<void> {
    for (let at = 0; at < commands.length; at += size) {
      await this.send(commands.slice(at, at + size));
      await delay(100);
    }
  }
}

export const hashOf = ({ commandId }: PlannedCommand) => `hash of ${commandId}`;

/** The record of a command; every third one is traced. */
export function recordOf(command: PlannedCommand): OutgoingRecord {
  const { commandId, orgId, ticketId, type, data, by, expectedVersion } = command;
  const { actor, access } = by;
  const stamp = { orgId, ticketId, actor, access, channel: 'api', payloadHash: hashOf(command), ...(expectedVersion !== undefined && { expectedVersion }) };
  const traceparent = Number.parseInt(commandId.slice(0, 4), 16) % 3 === 0 ? { traceparent: `00-${commandId.replaceAll('-', '')}-00f067aa0ba902b7-01` } : {};
  const envelope = { id: commandId, type, source: `/organisations/${orgId}/tickets`, subject: ticketId, time: '2026-01-01T10:00:00.000Z', orgId, ...traceparent };
  return { topic: topics.commands, key: ticketId, value: JSON.stringify({ ...stamp, data }), headers: toHeaders(envelope) };
}
