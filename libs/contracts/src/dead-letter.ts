import { z } from 'zod';
import { Time } from './text.js';

/** What an operator made of a dead letter. `replaying` is said before the record goes back, so that nobody takes a crash in between for a letter that still waits. */
export const DeadLetterDecision = z.object({
  id: z.uuid(),
  after: z.uuid().nullable().meta({ description: 'The decision on the same letter that this one follows. Of several after the same one the first on the topic counts, the others never were.' }),
  letter: z.string().meta({ description: '`<topic>/<partition>/<offset>` of the dead letter.' }),
  writtenAt: z.string().regex(/^\d+$/).meta({ description: 'Timestamp of the dead letter, ms since the epoch: tells it from one of the same name in a topic that was made anew.' }),
  state: z.enum(['replaying', 'replayed', 'discarded', 'waiting']),
  at: Time,
  by: z.string().meta({ description: 'Who, for people: user and machine.' }),
  reason: z.string().optional().meta({ description: 'Why it was discarded, or why it waits again: its topic did not take it back.' }),
});
export type DeadLetterDecision = z.infer<typeof DeadLetterDecision>;
