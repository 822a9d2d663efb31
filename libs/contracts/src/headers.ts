import { z } from 'zod';

/** Headers of requests, as the public door reads them; each says of itself what it is for. */

/** `Idempotency-Key` of a write. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/)
  .meta({
    description:
      'Makes a repeat of the request safe for at least 24 h: the same key and request give the same answer (`Idempotency-Replayed: true`), refusals included. Another request under the key is refused. Best a new UUID for every change that somebody asks for.',
  });

/** `If-Match` of a write to a ticket: one strong ETag as we give them, or `*`. */
export const IfMatch = z
  .string()
  .regex(/^\s*(?:"([1-9][0-9]{0,14})"|\*)\s*$/)
  .meta({ description: 'The `ETag` of the ticket that the write was decided on. Another version by now is answered with 412.' });

/** `Prefer` of a write: others than `respond-async` are taken and not followed. */
export const Prefer = z.string().meta({ description: '`respond-async`: answer 202 at once, without waiting for the outcome.' });

/** `X-Min-Version`: the version of the ticket that an answer must have reached, as digits. One that is far beyond any there is can still be asked for. */
export const MinVersion = z
  .string()
  .regex(/^[1-9][0-9]{0,14}$/)
  .meta({ description: "The version that the answer must have reached, such as the one of one's own write. Waits for it up to 1 s, else 503 `not-yet`." });

/** `Last-Event-ID` of a stream: where it goes on. */
export const LastEventId = z.string().max(200).meta({ description: 'The `id` of the last message or heartbeat that was heard: what came behind it comes first.' });

/** `X-Request-Id` of a request that is kept: in the answer, in logs, and in the headers of what the request causes. */
export const RequestId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}$/)
  .meta({ description: 'Names the request in answers and logs. Without a well-formed one we make one.' });
