/** One header as it stood on the wire: Kafka allows repeated names, any bytes and null values. */
export interface RawHeader {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** A record read from a topic. Its bytes are views on the fetched response: copy what is kept for long. */
export interface IncomingRecord {
  readonly topic: string;
  readonly partition: number;
  /** Decimal text; an offset may exceed nothing but patience, yet it is an int64 on the wire. */
  readonly offset: string;
  /** Milliseconds since the epoch, decimal text, as the producer or the broker wrote it. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Last value of each header as UTF-8 text, decoded on first use. Has no prototype, so any name is safe to look up. */
  readonly headers: Readonly<Record<string, string>>;
  /** Every header untouched and in order, for dead letters. */
  readonly rawHeaders: readonly RawHeader[];
}

/** A record to write. Records with the same key land in the same partition (murmur2, as the Java client does). */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string | Buffer>> | readonly RawHeader[];
  /** Where the key does not decide: a record that goes back to the partition it came from. */
  readonly partition?: number;
}

/** What had arrived on all owned partitions, taken as one piece of work; each partition's records are in offset order. */
export interface Round {
  readonly records: readonly IncomingRecord[];
  /** Aborted when nobody wants the outcome any more: the partitions were lost, or the stop has run out of time. */
  readonly signal: AbortSignal;
}

/** Why a record was given up: the closed list of the contract, section 5. */
export type DeadLetterReason =
  | 'not-json'
  | 'schema-invalid'
  | 'unknown-type'
  | 'oversize'
  | 'organisation-mismatch'
  | 'producer-not-allowed'
  | 'key-mismatch'
  | 'timestamp-out-of-range'
  | 'handler-failed';

/** A record that can never be handled, returned by the handler of its round. */
export interface DeadLetter {
  readonly record: IncomingRecord;
  readonly reason: DeadLetterReason;
  /** For operators; cut to 1,000 characters. */
  readonly detail: string;
}
