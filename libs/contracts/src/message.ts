import { z } from 'zod';
import { Slug, Uuid } from './text.js';

/** CloudEvents headers of a record on our own topics (binary mode). */
export const Envelope = z.object({
  id: z.string().min(1).max(300),
  type: z.string().min(1).max(200),
  source: z.string().min(1).max(300),
  subject: Uuid.optional(),
  time: z.iso.datetime({ offset: true }),
  orgId: Slug.optional(),
  traceparent: z.string().optional(),
});
export type Envelope = z.infer<typeof Envelope>;
