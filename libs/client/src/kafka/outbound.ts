import type { Kafka } from 'kafkajs';
import type { OutboundEvent } from '../types.js';

export type { OutboundEvent, OutboundTicket } from '../types.js';

/** Which system follows its events, and how it reaches the broker. */
export interface FollowOptions {
  /** A client of kafkajs, with the brokers and the sign-in of your system. */
  kafka: Kafka;
  /** The id under which the system is registered: the one in its topics' names. */
  system: string;
  /** Processes of one group share the work, and it goes on where they stopped: `<system>:outbound` unless given. The system has the right to groups whose names begin with its own and a colon. */
  groupId?: string | undefined;
}

/**
 * Hands over what the system is told of events, from the oldest that is kept on: those of a ticket in order and one at a time, each at least once. What `take` throws has the event come again.
 * @returns how to stop
 * @throws what kafkajs throws when the broker, or the right to the topic, is not there
 */
export async function followEvents({ kafka, system, groupId = `${system}:outbound` }: FollowOptions, take: (event: OutboundEvent) => unknown): Promise<{ close(): Promise<void> }> {
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: `ticket.outbound.${system}.v1`, fromBeginning: true });
    await consumer.run({ eachMessage: ({ message }) => handOver(JSON.parse(String(message.value)) as OutboundEvent, take) });
  } catch (error) {
    await consumer.disconnect().catch(() => undefined);
    throw error;
  }
  return { close: () => consumer.disconnect() };
}

/** kafkajs ends for good where somebody throws a TypeError or the like, as a member that is not there brings about: within another error it comes again, as any does. */
async function handOver(event: OutboundEvent, take: (event: OutboundEvent) => unknown): Promise<void> {
  try {
    await take(event);
  } catch (cause) {
    throw new Error(`${event.id} was not taken: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
