import { v5 } from 'uuid';
import { DeadLetterReason, deadLetterProblem, problem, resultType, type CommandValue, type InboundResult, type Origin } from '#contracts';
import { toHeaders, type IncomingRecord, type OutgoingRecord, type RawHeader } from '#messaging';
import type { Claim } from './claimed-ids.store.js';
import { idOf } from './inbound-record.js';
import type { Told } from './inbound-results.js';

/** Of ids of answers to records that no command was made of. */
const answerNamespace = '1f0a6f3e-52a4-4b0d-b1c7-6d2e9c8a4b75';

/** What a system is told of a record that was set aside. Nothing where the record says no id by which the system would know it. */
export function toldOfLetter(system: string, { value, headers: raw }: OutgoingRecord): Told | undefined {
  const headers = Object.fromEntries((raw as readonly RawHeader[]).map((header) => [header.key.toString(), header.value?.toString() ?? '']));
  const ceId = idOf({ headers, value: value as IncomingRecord['value'] });
  if (ceId === undefined) return undefined;
  const { dead_reason: reason, dead_detail: detail = '', dead_topic: topic = '', dead_partition: partition, dead_offset: offset = '', dead_time: time = '' } = headers;
  const actor = { type: 'system' as const, id: system, name: system };
  const origin = { system, id: ceId, topic, partition: Number(partition), offset };
  return answer({ actor, outcome: 'rejected', problem: deadLetterProblem(DeadLetterReason.parse(reason), detail), origin }, time);
}

/** What a system is told of a record whose `ce_id` belongs to another ticket: the same to the byte, however often the record is read. */
export function toldOfReuse({ commandId, ticketId }: Claim, command: CommandValue & { origin: Origin }, { timestamp }: IncomingRecord): Told {
  const { orgId, actor, origin } = command;
  const reused = problem('idempotency-key-reused', 'The ce_id was used for another ticket.');
  return answer({ commandId, orgId, ticketId, actor, outcome: 'rejected', duplicate: true, problem: reused, origin }, new Date(Number(timestamp)).toISOString());
}

function answer(result: InboundResult, time: string): Told {
  const { origin, ticketId, orgId } = result;
  const id = v5(JSON.stringify([origin.topic, String(origin.partition), origin.offset]), answerNamespace);
  const { ce_subject, ce_orgid, ...rest } = toHeaders({ id, type: resultType, source: `/inbound/${origin.system}`, subject: ticketId ?? '', time, orgId: orgId ?? '' });
  const headers = ticketId === undefined ? rest : { ...rest, ce_subject: ce_subject!, ce_orgid: ce_orgid! };
  return { system: origin.system, key: origin.id, value: JSON.stringify(result), headers };
}
