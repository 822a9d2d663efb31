import { z } from 'zod';
import { commonConfig } from '#observability';

/** Settings of ticket-command. */
export const Config = z.object({
  ...commonConfig,
  /** Rounds in flight at once, each over its own share of the partitions. */
  LANES: z.coerce.number().int().min(1).max(8).default(2),
});
export type Config = z.infer<typeof Config>;
