import { z } from 'zod';
import { commonConfig } from '#observability';

/** Settings of ticket-command. */
export const Config = z.object({
  ...commonConfig,
  /** Takes commands that say when they happened (`at`): for bringing in history and for demo data. Whoever may write commands may then date them back. */
  ALLOW_PAST_COMMANDS: z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default('false')
    .transform((value) => value === 'true'),
});
export type Config = z.infer<typeof Config>;
