import { z } from 'zod';
import { DeadLetterReason } from './problem.js';
import { Slug, Time } from './text.js';

/** Headers of every message on our own topics: CloudEvents 1.0 in Kafka's binary mode, with the organisation as extension `orgid`. */
export const EnvelopeHeaders = z.object({
  ce_specversion: z.literal('1.0'),
  ce_id: z.string().meta({ description: 'Tells the message from all others of its source. Of a command it is the command id, of an event `<ticketId>:<version>`.' }),
  ce_type: z.string().meta({ description: 'Which message it is, with its version.' }),
  ce_source: z.string(),
  ce_subject: z.string().meta({ description: 'What it is about: the ticket id, or the key of a directory entry.' }),
  ce_time: Time,
  ce_orgid: Slug.meta({ description: 'The organisation.' }),
  traceparent: z.string().optional().meta({ description: 'W3C Trace Context.' }),
  attempt: z.string().optional().meta({ description: 'Which sending of a command, of which there may be several; its result has the same.' }),
  'content-type': z.literal('application/json'),
});
export type EnvelopeHeaders = z.infer<typeof EnvelopeHeaders>;

const digits = z.string().regex(/^[0-9]+$/);

/** What a dead letter's headers say beside those that the record came with. Key, value and headers of the record are untouched. */
export const DeadLetterHeaders = z.object({
  dead_reason: DeadLetterReason,
  dead_detail: z.string().meta({ description: 'What was wrong, for people.' }),
  dead_topic: z.string().meta({ description: 'Where the record was.' }),
  dead_partition: digits,
  dead_offset: digits,
  dead_time: Time,
  dead_consumer: z.string().meta({ description: 'Who gave it up.' }),
  dead_attempts: digits,
});
export type DeadLetterHeaders = z.infer<typeof DeadLetterHeaders>;
