/** Trouble that passes: a store or broker is down or slow. A round that meets it waits and is tried again, without limit. */
export class Fault extends Error {
  readonly passes = true;
  override readonly name: string = 'Fault';
}

/** The producer's queue is full; nothing of this call was or will be sent. */
export class Overloaded extends Fault {
  override readonly name = 'Overloaded';
}

/** No acknowledgement: nothing of this call will be sent from now on, but what was in flight may have arrived. */
export class NotAcknowledged extends Fault {
  override readonly name = 'NotAcknowledged';

  /** Kafka's name for what the broker had against it, such as `UNKNOWN_TOPIC_OR_PARTITION`; undefined where it said nothing. */
  get refusal(): string | undefined {
    for (let cause = this.cause as { type?: unknown; cause?: unknown } | undefined; cause !== undefined && cause !== null; cause = cause.cause as typeof cause) {
      if (typeof cause.type === 'string') return cause.type;
    }
    return undefined;
  }
}

/** Trouble that only the owner of some topics has, while the broker answers: records of theirs wait, and the service is none the worse. */
export class OwnersTrouble extends Fault {
  override readonly name = 'OwnersTrouble';
}

/** Told by the mark, not by the class, so that a store need not import this library to say that its trouble passes. */
export const passes = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && (error as { passes?: unknown }).passes === true;
