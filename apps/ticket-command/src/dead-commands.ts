import { z } from 'zod';
import { CommandResult, deadLetterProblem, DeadLetterReason, eventSource, Origin, resultType, topics } from '#contracts';
import { toHeaders, type OutgoingRecord, type RawHeader, type RecordProducer } from '#messaging';
import type { InboundResults, Told } from './inbound/inbound-results.js';
import { maxIdLength } from './record-value.js';

/**
 * What must be readable of a dead command for its sender to be told. All of it is bounded: a result that no topic takes would be tried for ever.
 */
const Addressed = CommandResult.pick({ orgId: true, ticketId: true, actor: true, payloadHash: true }).extend({ payloadHash: z.string().max(128) });
const CommandId = z.string().min(1).max(maxIdLength);
const From = z.object({ origin: Origin.extend({ id: CommandId, topic: z.string().max(300), offset: z.string().max(20) }) });

/** Writes dead letters of the command topic, and tells whoever waits for one of the commands that it was set aside. */
export class DeadCommands {
  constructor(
    private readonly producer: Pick<RecordProducer, 'send'>,
    private readonly systems: Pick<InboundResults, 'send'>,
    private readonly clock: () => Date = () => new Date(),
  ) {}

  /** Resolves when the letters, and then the results that could be made of them, are acknowledged. */
  async send(letters: readonly OutgoingRecord[]): Promise<void> {
    await this.producer.send([...letters]);
    const results = letters.flatMap((letter) => this.resultOf(letter) ?? []);
    if (results.length > 0) await this.producer.send(results);
    await this.systems.send(results.flatMap(toldSystem));
  }

  private resultOf({ value, headers }: OutgoingRecord): OutgoingRecord | undefined {
    const told = textHeaders(headers as readonly RawHeader[]);
    const id = CommandId.safeParse(told.get('ce_id'));
    const reason = DeadLetterReason.safeParse(told.get('dead_reason'));
    const addressed = Addressed.safeParse(parsed(value));
    if (!id.success || !reason.success || !addressed.success) return undefined;
    const { orgId, ticketId } = addressed.data;
    const commandId = id.data;
    const problem = deadLetterProblem(reason.data, told.get('dead_detail') ?? '');
    const result: z.infer<typeof CommandResult> = { commandId, ...addressed.data, outcome: 'rejected', problem, ...From.safeParse(parsed(value)).data };
    const time = this.clock().toISOString();
    const envelope = { id: commandId, type: resultType, source: eventSource(orgId), subject: ticketId, time, orgId };
    return { topic: topics.results, key: commandId, value: JSON.stringify(result), headers: toHeaders(envelope) };
  }
}

/** An outside system is told of its own. */
function toldSystem({ value, headers }: OutgoingRecord): Told[] {
  const { origin } = JSON.parse(value!.toString()) as CommandResult;
  return origin === undefined ? [] : [{ system: origin.system, key: origin.id, value: value as string, headers: headers as Record<string, string> }];
}

const textHeaders = (headers: readonly RawHeader[]) => new Map(headers.map(({ key, value }) => [key.toString(), value?.toString() ?? '']));

function parsed(value: string | Buffer | null): unknown {
  try {
    return JSON.parse(value?.toString() ?? '');
  } catch {
    return undefined;
  }
}
