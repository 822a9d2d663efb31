import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { z } from 'zod';
import { CommandResult, DeadLetterReason, problemName, resultType, topics } from '#contracts';
import { type DeadLetter, type IncomingRecord, readEnvelope, type Round, Subscribe, valueOf } from '#messaging';
import { CommandResultStore, resultId, senderOf, type StoredResult } from './command-results.store.js';
import { unknownEvents } from './metrics.js';

/** Remembers what became of commands, so that every gateway can tell who asks later: in a catch-up, after the views that people look at. */
@Controller()
export class CommandResultsConsumer {
  constructor(private readonly results: CommandResultStore) {}

  @Subscribe({ topic: topics.results, group: 'query-search.command-results', paceMs: 250, isBackground: true })
  async remember(@Payload() { records }: Round): Promise<DeadLetter[]> {
    const answers = new Map<string, StoredResult>();
    const dead: DeadLetter[] = [];
    for (const record of records) {
      const read = readResult(record);
      if (read === undefined) unknownEvents.inc();
      else if ('reason' in read) dead.push(read);
      else if ((answers.get(read._id)?.state ?? 'failed') === 'failed') answers.set(read._id, read);
    }
    await this.results.prepare();
    await this.results.put([...answers.values()]);
    return dead;
  }
}

/** The ticket in a result is for who waits for it; views come from events. */
const Answer = CommandResult.omit({ ticket: true });

/** Undefined for a type that is not known here. */
export function readResult(record: IncomingRecord): StoredResult | DeadLetter | undefined {
  const value = valueOf(record);
  if ('reason' in value) return value;
  if (readEnvelope(record).type !== resultType) return undefined;
  const result = Answer.safeParse(value.json);
  if (!result.success) return { record, reason: 'schema-invalid', detail: result.error.message };
  if (record.key?.toString() !== result.data.commandId) return { record, reason: 'key-mismatch', detail: 'the key is not the command id' };
  return stored(result.data, new Date(Number(record.timestamp)));
}

function stored({ orgId, commandId, actor, ticketId, outcome, version, problem }: z.infer<typeof Answer>, at: Date): StoredResult {
  const wasSetAside = problem !== undefined && DeadLetterReason.safeParse(problemName(problem)).success;
  return {
    _id: resultId(orgId, commandId),
    actor: senderOf(actor),
    state: wasSetAside ? 'failed' : outcome,
    ticketId,
    ...(version !== undefined && { version }),
    ...(problem && { problem: JSON.stringify(problem) }),
    at,
  };
}
