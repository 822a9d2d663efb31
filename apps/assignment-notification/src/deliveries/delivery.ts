/** Something that is to be told to somebody outside. */
export interface Claim {
  /** The same whenever it is claimed again, and whenever it is sent: who takes it can tell a repeat by it. */
  id: string;
  orgId: string;
  /** `<channel>:<whom>`. What one target does to us (hanging, refusing) concerns no other. */
  target: string;
  /** Deliveries of a queue go to their target one after the other, the lowest `seq` first. */
  queue: string;
  seq: number;
  /** What its channel needs to send it, as text. */
  content: string;
  /** What lists and reports say of it. */
  about: Record<string, string>;
  /** Not to be sent before; at once without it. */
  notBefore?: Date;
}

/** `waiting` for its first or next try; `dropped`: nobody wants it any more. */
export type DeliveryState = 'waiting' | 'delivered' | 'failed' | 'dropped';

/** How a try ended. */
export interface Attempt {
  at: Date;
  /** How long it took. */
  ms: number;
  isDelivered: boolean;
  /** What the other side said, or why it said nothing: in words for people. */
  detail: string;
}

/** A claim, and what has become of it. */
export interface Delivery extends Omit<Claim, 'id' | 'notBefore'> {
  /** The claim's id. */
  _id: string;
  /** Length of its content, characters. */
  bytes?: number;
  state: DeliveryState;
  /** When there is something to do for it: to send it, or to tell how it ended; null for never. */
  dueAt: Date | null;
  /** It is not to be sent before; null for at once. */
  notBefore: Date | null;
  /** Since when it is to be sent: who asks for it again begins anew. */
  askedAt: Date;
  /** Tries since it was asked for. */
  tries: number;
  /** The newest ones, oldest first. */
  attempts: Attempt[];
  createdAt: Date;
  /** When it came to its end. */
  endedAt: Date | null;
  /** Who asked last that it is sent again: the id of that request; and those before it, oldest first. */
  request?: string;
  requests?: string[];
}

/**
 * What the other side made of it. `delivered`: it took it. `failed`: it may take it another time, not before `retryAfter` where it said so. `refused`: it will never
 * take it. `moot`: there is nothing to be told any more, and it is dropped. `gone`: it wants nothing any more.
 */
export interface SendOutcome {
  state: 'delivered' | 'failed' | 'refused' | 'moot' | 'gone';
  detail: string;
  retryAfter?: Date;
  /** What its channel knew the target as when it was asked. */
  as?: string;
}

/** What the tries of a round say of their target. */
export interface Verdict {
  /** At least one came through, or was refused for what it was. */
  isAnswering: boolean;
  isGone: boolean;
  /** What the target was known as, by a try that says so. */
  as: string | undefined;
}

/** Thrown by a channel that had no room to begin with it: that was no try, and it is due again soon. */
export class NotBegun extends Error {}

/** A way to tell. */
export interface Channel {
  /** Targets begin with it. */
  readonly name: string;
  /** Pauses before the second, third … try, s; after as many, a delivery has failed. */
  readonly pauses: readonly number[];
  /** Queues of a target that are sent at once. */
  readonly parallel: number;
  /** How long a try may take, ms; its signal ends then. */
  readonly limitMs: number;
  /** Sends it. What it throws counts as failed, but for NotBegun. */
  send(delivery: Delivery, signal: AbortSignal): Promise<SendOutcome>;
  /** Told of deliveries that came to their end, at least once, after that was stored. @throws StoreFault, Fault: told again later */
  settle?(ended: readonly Delivery[]): Promise<void>;
  /** Told of a target after each round of tries. @returns where it is told nothing any more, since when: what was asked for until then is dropped @throws StoreFault */
  judge?(target: string, verdict: Verdict): Promise<Date | undefined>;
}

/** A try that ended in an error. */
export const failedBy = (error: unknown): SendOutcome => ({ state: 'failed', detail: wordsOf(error) });

/** Name of the channel that a target is reached by. */
export const channelOf = (target: string): string => target.slice(0, target.indexOf(':'));

/** However few tries a channel makes: who comes back after so long is still told, ms. */
const leastPatience = 3_600_000;

/** Whether a delivery is no news any more: it has waited for longer than all of its tries take, behind others that were not taken either. */
export const isStale = ({ askedAt }: Pick<Delivery, 'askedAt'>, pauses: readonly number[], at: number): boolean =>
  at - askedAt.getTime() > Math.max(leastPatience, 1_100 * pauses.reduce((sum, one) => sum + one, 0));

/** When to try again after `tries` failed ones; undefined for never. Up to a tenth earlier or later, so that what failed together does not come together. */
export function nextTry(pauses: readonly number[], { tries, at, retryAfter }: { tries: number; at: Date; retryAfter?: Date | undefined }): Date | undefined {
  const pause = pauses[tries - 1];
  if (pause === undefined) return undefined;
  const next = at.getTime() + pause * 1_000 * (0.9 + Math.random() * 0.2);
  return new Date(Math.max(next, retryAfter?.getTime() ?? 0));
}

/** Errors of connections have their reason in their cause. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error && cause.message !== '' ? `${message}: ${cause.message}` : message || error.name;
}
