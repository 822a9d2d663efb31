import { deadLetterTopic, DeadLetterReason, deadLetterProblem, inboundResultsTopic, inboundTopic, resultType, type InboundResult } from '#contracts';
import { toHeaders, type DeadLetter, type IncomingRecord, type OutgoingRecord, type RawHeader, type Reading, type RecordProducer, type Round } from '#messaging';
import { v5 } from 'uuid';
import { Unreadable } from '../record-value.js';
import type { DirectoryCopy } from './directory-copy.js';
import { inboundCommand } from './inbound-command.js';
import { idOf, readInbound } from './inbound-record.js';
import type { InboundResults, Told } from './inbound-results.js';
import type { SystemProducers } from './system-producers.js';

export interface InboundParts {
  directory: Pick<DirectoryCopy, 'demandFresh' | 'grant' | 'roster'>;
  /** Writes commands. */
  producer: Pick<RecordProducer, 'send'>;
  producers: Pick<SystemProducers, 'of'>;
  results: Pick<InboundResults, 'send'>;
}

const letterNamespace = '1f0a6f3e-52a4-4b0d-b1c7-6d2e9c8a4b75';

/** How the topic of one outside system is read: what it may send becomes commands, the rest dead letters, of which it is told. */
export function inboundReading(system: string, parts: InboundParts): Reading {
  const topic = inboundTopic(system);
  return {
    topic,
    group: `ticket-command.inbound.${system}`,
    waitsFor: [topic, inboundResultsTopic(system), deadLetterTopic('ticket-command', topic)],
    handle: (round) => forward(system, round, parts),
    bury: (letters) => bury(system, letters, parts),
  };
}

/** Returns when the commands of a round are acknowledged, in the order of their records. */
async function forward(system: string, { records }: Round, { directory, producer }: InboundParts): Promise<DeadLetter[]> {
  directory.demandFresh();
  const now = new Date();
  const commands: OutgoingRecord[] = [];
  const dead: DeadLetter[] = [];
  for (const record of records) {
    try {
      const asked = readInbound(record);
      const { orgId } = asked.value;
      commands.push(inboundCommand(asked, { grant: directory.grant(orgId, system), roster: directory.roster(orgId) }, now));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      dead.push({ record, reason: error.reason, detail: error.message });
    }
  }
  if (commands.length > 0) await producer.send(commands);
  return dead;
}

/** Resolves when the letters, and then what the system is told of them, are acknowledged. */
async function bury(system: string, letters: readonly OutgoingRecord[], { producers, results }: InboundParts): Promise<void> {
  await (await producers.of(system)).send(letters);
  await results.send(letters.flatMap((letter) => toldOf(system, letter) ?? []));
}

/** Nothing where the record says no id by which the system would know it. */
function toldOf(system: string, { value, headers: raw }: OutgoingRecord): Told | undefined {
  const headers = Object.fromEntries((raw as readonly RawHeader[]).map((header) => [header.key.toString(), header.value?.toString() ?? '']));
  const ceId = idOf({ headers, value: value as IncomingRecord['value'] });
  if (ceId === undefined) return undefined;
  const { dead_reason: reason, dead_detail: detail = '', dead_topic: topic = '', dead_partition: partition, dead_offset: offset = '', dead_time: time = '' } = headers;
  const actor = { type: 'system' as const, id: system, name: system };
  const origin = { system, id: ceId, topic, partition: Number(partition), offset };
  const result: InboundResult = { actor, outcome: 'rejected', problem: deadLetterProblem(DeadLetterReason.parse(reason), detail), origin };
  const id = v5(JSON.stringify([topic, partition, offset]), letterNamespace);
  const { ce_subject: _subject, ce_orgid: _orgId, ...envelope } = toHeaders({ id, type: resultType, source: `/inbound/${system}`, subject: '', time, orgId: '' });
  return { system, key: ceId, value: JSON.stringify(result), headers: envelope };
}
