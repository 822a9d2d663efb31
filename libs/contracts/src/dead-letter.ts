import { z } from 'zod';
import { single, wholeNumber } from './parameters.js';
import { Time, trimmedText } from './text.js';

/** What an operator made of a dead letter. `replaying` is said before the record goes back, so that nobody takes a crash in between for a letter that still waits. */
export const DeadLetterDecision = z.object({
  id: z.uuid(),
  after: z.uuid().nullable().meta({ description: 'The decision on the same letter that this one follows. Of several after the same one the first on the topic counts, the others never were.' }),
  letter: z.string().meta({ description: '`<topic>/<partition>/<offset>` of the dead letter.' }),
  writtenAt: z.string().regex(/^\d+$/).meta({ description: 'Timestamp of the dead letter, ms since the epoch: tells it from one of the same name in a topic that was made anew.' }),
  state: z.enum(['replaying', 'replayed', 'discarded', 'waiting']),
  at: Time,
  by: z.string().meta({ description: 'Who, for people: user and machine.' }),
  request: z
    .object({ id: z.string(), hash: z.string() })
    .optional()
    .meta({ description: 'The request over REST that decided: a repeat under its Idempotency-Key meets its first answer.' }),
  reason: z.string().optional().meta({ description: 'Why it was discarded, or why it waits again: its topic did not take it back.' }),
});
export type DeadLetterDecision = z.infer<typeof DeadLetterDecision>;

/** Id of a dead letter over REST: `<topic>:<partition>:<offset>`. */
export const DeadLetterId = z
  .string()
  .regex(/^dead\.[\w-]+\.[\w.-]+:\d{1,6}:\d{1,15}$/, 'must be <topic>:<partition>:<offset>')
  .meta({ description: 'Where the letter lies: `<topic>:<partition>:<offset>`.' });

/** Query of `GET /dead-letters`. */
export const DeadLettersQuery = z.strictObject({
  after: single.pipe(z.string().max(600)).default('0').meta({ description: 'The `nextAfter` of the page before; `0` is the start. Opaque.' }),
  limit: wholeNumber(100).default(25),
});
export type DeadLettersQuery = z.infer<typeof DeadLettersQuery>;

/** Body of `POST /dead-letters/{id}/discard`. */
export const Discard = z.strictObject({ reason: trimmedText(1_000).meta({ description: 'Why nothing is lost by it.' }) });
export type Discard = z.infer<typeof Discard>;

/** A record that a service gave up on, as administrators see it. */
export const DeadLetterView = z.object({
  id: DeadLetterId,
  reason: z.string().meta({ description: 'Why it was set aside, of the closed list; `unreadable` for one that does not say.' }),
  detail: z.string(),
  at: Time,
  consumer: z.string().nullable(),
  source: z.object({ topic: z.string(), partition: z.number().int(), offset: z.string() }).nullable().meta({ description: 'Where the record was; null when the letter does not say so believably.' }),
  type: z.string().nullable().meta({ description: '`ce_type` of the record.' }),
  key: z.string().nullable(),
  bytes: z.number().int().meta({ description: 'Of its value.' }),
  hindrance: z.string().nullable().meta({ description: 'Why it cannot go back, whatever the cause was; null when it can.' }),
  state: DeadLetterDecision.shape.state,
  decision: z
    .object({ at: Time, by: z.string().nullable().meta({ description: 'Id of the administrator; null for an operator of the installation.' }), reason: z.string().nullable() })
    .nullable()
    .meta({ description: 'Who made what of it; null for one that nobody has touched.' }),
});
export type DeadLetterView = z.infer<typeof DeadLetterView>;

/** Answer of `GET /dead-letters`. */
export const DeadLetterPage = z.object({
  items: z.array(DeadLetterView),
  nextAfter: z.string().nullable().meta({ description: 'The `after` of the next page; null at the end. A page may hold fewer than `limit`, even none, though more follow.' }),
});
export type DeadLetterPage = z.infer<typeof DeadLetterPage>;

const Bytes = z.union([z.string(), z.object({ base64: z.string() })]);

/** Answer of `GET /dead-letters/{id}`: with the record as it came, bytes that are no UTF-8 as base64. */
export const DeadLetterWhole = DeadLetterView.extend({
  headers: z.array(z.tuple([Bytes, Bytes.nullable()])).meta({ description: 'Names and values, those that say why it is here among them.' }),
  value: Bytes.nullable(),
  rawKey: Bytes.nullable(),
});
export type DeadLetterWhole = z.infer<typeof DeadLetterWhole>;
