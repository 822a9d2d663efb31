import { z } from 'zod';
import { commonConfig } from '#observability';

/** Settings of ticket-command. */
export const Config = z.object(commonConfig);
export type Config = z.infer<typeof Config>;
