import { commitKey, ticketKey, type Commit, type CommitKey, type CommitLog } from '#persistence';
import { initial, type TicketState } from '#domain';
import type { Received } from './command-record.js';
import { answerOf, stateAfter, type Verdict } from './judge.js';
import type { KnownTickets } from './known-tickets.js';

/** A command of the round with the text keys of its ticket and its commit, made once: a round has many waves. */
interface Entry {
  received: Received;
  ticket: string;
  commit: string;
}

/** A command, its commit, and the value of its result. */
export interface Outcome extends Pick<Verdict, 'commit' | 'answer'> {
  received: Received;
}

/** Commits and answers that are held until they are told, bytes: what a round makes of large tickets, or of one large ticket again and again, may be many times what was sent. */
const heldBytes = 16 * 1024 * 1024;

/**
 * What a round knows: the stored commit of each of its commands, as soon as there is one, and where each ticket stands. The round keeps what
 * it has read itself: what `KnownTickets` remembers may be dropped at any time to save memory. Where there is no room for all of the round, some of its commands
 * are left for another ledger.
 */
export class Ledger {
  private readonly entries: readonly Entry[];
  private readonly ended = new Map<string, Pick<Verdict, 'commit' | 'answer'>>();
  private readonly states = new Map<string, TicketState>();
  /** Tickets and commits of which nothing is known, as there was no room to look. */
  private readonly unread = new Set<string>();
  private held = 0;
  /** A command of each ticket, to remember the ticket by. */
  private readonly firstOf = new Map<string, Received>();

  private constructor(
    round: readonly Received[],
    private readonly log: CommitLog,
    private readonly known: KnownTickets,
  ) {
    this.entries = round.map((received) => ({ received, ticket: ticketKey(received.command), commit: commitKey(received.command) }));
    for (const { ticket, received } of this.entries) {
      if (this.firstOf.has(ticket)) continue;
      this.firstOf.set(ticket, received);
      const state = known.get(received);
      if (state !== undefined) this.states.set(ticket, state);
    }
  }

  /**
   * Looks the commands up and loads where their tickets stand, in two reads side by side. A create is neither looked up nor loaded, unless it
   * comes `again`: its ticket's id is new, and the unique indexes tell when that is not so. At least one of the commands can be brought to its end.
   */
  static async open(round: readonly Received[], { log, known }: { log: CommitLog; known: KnownTickets }, again: boolean): Promise<Ledger> {
    // Two look-ups without room may each tell of commands that the other does not: of a few, or one, they tell all.
    for (let size = round.length; ; size = Math.ceil(size / 2)) {
      const ledger = new Ledger(round.slice(0, size), log, known);
      await ledger.read(again ? ledger.entries : ledger.entries.filter(({ received }) => !isFresh(received)));
      if (size <= 1 || ledger.wave().length > 0 || ledger.outcomes().length > 0) return ledger;
    }
  }

  /** The next command of every ticket that has no commit yet; none when too much is held already. */
  wave(): Received[] {
    if (this.held > heldBytes) return [];
    const tickets = new Set<string>();
    return this.entries
      .filter(({ ticket, commit }) => !this.ended.has(commit) && !tickets.has(ticket) && tickets.add(ticket) && !this.unread.has(ticket) && !this.unread.has(commit))
      .map(({ received }) => received);
  }

  state({ command }: Received): TicketState {
    return this.states.get(ticketKey(command)) ?? initial;
  }

  /** Takes note of a commit that was stored as decided here. */
  stored(received: Received, { commit, state, answer }: Verdict): void {
    this.end(commitKey(commit), { commit, answer });
    // A refusal says nothing of where a ticket stands that was not loaded.
    if (commit.outcome === 'applied') this.learn(ticketKey(commit), received, state);
  }

  /** Another instance was faster with something: reads what it did. A command that it did not decide stays in the next wave. */
  async reload(lost: readonly Received[]): Promise<void> {
    const tickets = new Set(lost.map(({ command }) => ticketKey(command)));
    for (const received of lost) this.known.forget(received);
    for (const ticket of tickets) this.states.delete(ticket);
    const commands = new Set(lost.map(({ command }) => commitKey(command)));
    await this.read(this.entries.filter(({ commit }) => commands.has(commit)));
  }

  /** Commands with their commits, in the order of the round: of each ticket those before which no other is left. */
  outcomes(): Outcome[] {
    const left = new Set<string>();
    return this.entries.flatMap(({ received, ticket, commit }) => {
      const end = left.has(ticket) ? undefined : this.ended.get(commit);
      if (end !== undefined) return [{ received, ...end }];
      left.add(ticket);
      return [];
    });
  }

  private async read(entries: readonly Entry[]): Promise<void> {
    const [commands, tickets] = [distinct(entries, 'commit'), distinct(entries.filter(({ ticket }) => !this.states.has(ticket)), 'ticket')];
    const [found, newest] = await Promise.all([this.log.find(commands), this.log.newest(tickets)]);
    this.note(commands.map(commitKey), found.isComplete, new Set(found.commits.map(commitKey)));
    this.note(tickets.map(ticketKey), newest.isComplete, new Set(newest.commits.map(ticketKey)));
    for (const commit of found.commits) this.end(commitKey(commit), { commit, answer: answerOf(commit) });
    // A commit that was found may be an old one of its ticket.
    const known = found.commits.filter((commit) => !this.unread.has(ticketKey(commit)));
    for (const [ticket, commit] of newestOf([...newest.commits, ...known])) this.learnCommit(ticket, commit);
  }

  /** Notes what was asked for and not read. */
  private note(keys: readonly string[], isComplete: boolean, read: ReadonlySet<string>): void {
    for (const key of keys) {
      if (isComplete || read.has(key)) this.unread.delete(key);
      else this.unread.add(key);
    }
  }

  private end(key: string, end: Pick<Verdict, 'commit' | 'answer'>): void {
    this.ended.set(key, end);
    this.held += end.commit.value.length + end.answer.length;
  }

  /** A commit says where its ticket stands, unless something newer is known. */
  private learnCommit(ticket: string, commit: Commit): void {
    const state = this.states.get(ticket);
    const received = this.firstOf.get(ticket);
    if (received === undefined || (state?.status === 'exists' && state.ticket.version >= commit.version!)) return;
    this.learn(ticket, received, stateAfter(commit));
  }

  private learn(ticket: string, received: Received, state: TicketState): void {
    this.states.set(ticket, state);
    this.known.set(received, state);
  }
}

/** A create that expects no version: it is decided on nothing, and the indexes tell when there was something. */
const isFresh = ({ command }: Received) => command.type === 'ticket.create.v1' && command.expectedVersion === undefined;

const distinct = (entries: readonly Entry[], key: 'ticket' | 'commit'): CommitKey[] => [
  ...new Map(entries.map((entry) => [entry[key], entry.received.command])).values(),
];

/** The newest applied commit of each ticket. */
function newestOf(commits: readonly Commit[]): Map<string, Commit> {
  const newest = new Map<string, Commit>();
  for (const commit of commits) {
    const key = ticketKey(commit);
    if (commit.outcome === 'applied' && commit.version! > (newest.get(key)?.version ?? 0)) newest.set(key, commit);
  }
  return newest;
}
