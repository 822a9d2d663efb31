import { z } from 'zod';

const Sign = z.enum(['up', 'down']);

/** What `/health/live` and `/health/ready` answer, with 200 or 503. */
export const HealthAnswer = z.object({
  status: Sign,
  checks: z.object({ kafka: Sign.optional(), mongodb: Sign.optional() }).meta({ description: 'What the service needs in order to work; liveness looks at none.' }),
});
export type HealthAnswer = z.infer<typeof HealthAnswer>;
