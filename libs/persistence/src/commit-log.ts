/** Names one command's commit. */
export interface CommitKey {
  orgId: string;
  ticketId: string;
  commandId: string;
}

/** Where in Kafka a command came from: tells a record read again from a command sent again. */
export interface Source {
  topic: string;
  partition: number;
  offset: string;
}

/** What one command did, for ever the same: stored by one insert that also holds the event to publish. */
export interface Commit extends CommitKey {
  outcome: 'applied' | 'unchanged' | 'rejected';
  payloadHash: string;
  /** The ticket's version after an applied command. */
  version?: number | undefined;
  /** Type of the event (applied), else of the result. */
  type: string;
  at: string;
  traceparent?: string | undefined;
  /** Value as it is published, bytes kept as bytes: the event of an applied command, else the result. */
  value: Buffer;
  /** What the ticket's rules count beside what the event tells. */
  rules?: unknown;
  /** The inbound record behind the command, told again in its result. */
  origin?: unknown;
  source: Source;
}

/** How an append ended: `lost` commits met one that was faster, `refused` ones the store will never take. */
export interface Appended {
  lost: Commit[];
  refused: { commit: Commit; error: Error }[];
}

/** What a look-up brought. Where it is not complete there was no room for more: nothing is known of keys that it does not mention. */
export interface Found {
  commits: Commit[];
  isComplete: boolean;
}

/**
 * The history of all tickets: one commit per command, unique by command and, for applied ones, by ticket and version.
 * Calls are one round trip, `newest` is two. Trouble of the store is thrown as `StoreFault`.
 */
export interface CommitLog {
  /** The commits of these commands, as far as there are any; at least one of them, and about 16 MiB at most. */
  find(keys: readonly CommitKey[]): Promise<Found>;
  /** The newest applied commit of each of these tickets, as far as there is one; as much as `find` answers. */
  newest(tickets: readonly Omit<CommitKey, 'commandId'>[]): Promise<Found>;
  /** Stores what can be stored. At most one applied commit of a ticket per call: a second could go in where the first lost. */
  append(commits: readonly Commit[]): Promise<Appended>;
}

/** Text key of a ticket. Organisation ids hold no slash. */
export const ticketKey = ({ orgId, ticketId }: Omit<CommitKey, 'commandId'>) => `${orgId}/${ticketId}`;

/** Text key of a command's commit. */
export const commitKey = (key: CommitKey) => `${ticketKey(key)}/${key.commandId}`;
