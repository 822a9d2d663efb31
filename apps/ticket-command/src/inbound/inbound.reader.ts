import { deadLetterTopic, inboundResultsTopic, inboundTopic } from '#contracts';
import type { DeadLetter, IncomingRecord, OutgoingRecord, ProducerPool, Reading, RecordProducer, Round } from '#messaging';
import { Unreadable } from '../record-value.js';
import type { ClaimedIds } from './claimed-ids.store.js';
import type { DirectoryCopy } from './directory-copy.js';
import { toldOfLetter, toldOfReuse } from './inbound-answers.js';
import { inboundCommand, type InboundCommand } from './inbound-command.js';
import { readInbound } from './inbound-record.js';
import type { InboundResults } from './inbound-results.js';

export interface InboundParts {
  directory: Pick<DirectoryCopy, 'demandFresh' | 'grant' | 'roster'>;
  claims: Pick<ClaimedIds, 'claim'>;
  /** Writes commands. */
  producer: Pick<RecordProducer, 'send'>;
  producers: Pick<ProducerPool, 'of'>;
  results: Pick<InboundResults, 'send'>;
}

/** How the topic of one outside system is read: what it may send becomes commands, the rest dead letters, of which it is told. */
export function inboundReading(system: string, parts: InboundParts): Required<Pick<Reading, 'bury'>> & Reading {
  const topic = inboundTopic(system);
  return {
    topic,
    group: `ticket-command.inbound.${system}`,
    waitsFor: [topic, inboundResultsTopic(system), deadLetterTopic('ticket-command', topic)],
    handle: (round) => forward(system, round, parts),
    bury: (letters) => bury(system, letters, parts),
  };
}

/** A record with the command that was made of it. */
interface Made {
  record: IncomingRecord;
  command: InboundCommand;
}

/**
 * Returns when the commands of a round are acknowledged, in the order of their records, and those are told that use the id of another ticket's command.
 * A crash after the claims reads the same records again, which hold them already.
 */
async function forward(system: string, { records }: Round, parts: InboundParts): Promise<DeadLetter[]> {
  const { made, dead } = sorted(system, records, parts);
  if (made.length === 0) return dead;
  const owners = await parts.claims.claim(made.map(({ command }) => command));
  const isOwn = ({ command: { commandId, ticketId } }: Made) => owners.get(commandId) === ticketId;
  const own = made.filter(isOwn);
  if (own.length > 0) await parts.producer.send(own.map(({ command }) => command.record));
  const reuses = made.filter((one) => !isOwn(one));
  if (reuses.length > 0) await parts.results.send(reuses.map(({ record, command: { commandId, value } }) => toldOfReuse({ commandId, ticketId: owners.get(commandId)! }, value, record)));
  return dead;
}

function sorted(system: string, records: readonly IncomingRecord[], { directory }: InboundParts): { made: Made[]; dead: DeadLetter[] } {
  directory.demandFresh();
  const now = new Date();
  const made: Made[] = [];
  const dead: DeadLetter[] = [];
  for (const record of records) {
    try {
      const asked = readInbound(record);
      const { orgId } = asked.value;
      made.push({ record, command: inboundCommand(asked, { grant: directory.grant(orgId, system), roster: directory.roster(orgId) }, now) });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      dead.push({ record, reason: error.reason, detail: error.message });
    }
  }
  return { made, dead };
}

/** Resolves when the letters, and then what the system is told of them, are acknowledged. */
async function bury(system: string, letters: readonly OutgoingRecord[], { producers, results }: InboundParts): Promise<void> {
  await (await producers.of(system)).send(letters);
  await results.send(letters.flatMap((letter) => toldOfLetter(system, letter) ?? []));
}
