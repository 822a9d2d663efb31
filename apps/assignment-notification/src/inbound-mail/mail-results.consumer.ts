import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { CommandResult, resultType, topics } from '#contracts';
import { readEnvelope, Subscribe, valueOf, type DeadLetter, type IncomingRecord, type Round } from '#messaging';
import { unknownRecords } from '../metrics.js';
import { InboundMail, postman } from './inbound-mail.js';

/** The ticket in a result is for who waits for it. */
const Answer = CommandResult.omit({ ticket: true });

/** Hears which mails their tickets did not take. Nearly all results are of others and good news: they are not even parsed. */
@Controller()
export class MailResultsConsumer {
  constructor(private readonly inbound: InboundMail) {}

  @Subscribe({ topic: topics.results, group: 'assignment-notification.mail-results', paceMs: 250 })
  async hear(@Payload() { records }: Round): Promise<DeadLetter[]> {
    const refused: string[] = [];
    const dead: DeadLetter[] = [];
    for (const record of records.filter(mayBeRefusal)) {
      const read = refusalIn(record);
      if (typeof read === 'string') refused.push(read);
      else if (read !== undefined) dead.push(read);
    }
    await this.inbound.refused(refused);
    return dead;
  }
}

const mayBeRefusal = ({ value }: IncomingRecord) => value !== null && value.includes('"rejected"') && value.includes(`"${postman.actor.id}"`);

/** The id of a refused command of ours; undefined for whatever else. */
function refusalIn(record: IncomingRecord): string | DeadLetter | undefined {
  const value = valueOf(record);
  if ('reason' in value) return value;
  if (readEnvelope(record).type !== resultType) {
    unknownRecords.inc({ topic: topics.results });
    return undefined;
  }
  const result = Answer.safeParse(value.json);
  if (!result.success) return { record, reason: 'schema-invalid', detail: result.error.message };
  const { outcome, actor, commandId } = result.data;
  return outcome === 'rejected' && actor.type === postman.actor.type && actor.id === postman.actor.id ? commandId : undefined;
}
