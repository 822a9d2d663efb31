import { commitKey, ticketKey, type Commit, type CommitLog } from '#persistence';
import { initial, type TicketState } from '#domain';
import type { Received } from './command-record.js';
import { stateAfter } from './judge.js';
import type { KnownTickets } from './known-tickets.js';

/** What a round knows: the stored commit of each of its commands, as soon as there is one, and where each ticket stands. */
export class Ledger {
  private readonly commits = new Map<string, Commit>();

  private constructor(
    private readonly round: readonly Received[],
    private readonly log: CommitLog,
    private readonly known: KnownTickets,
  ) {}

  /**
   * Looks the commands up and loads where their tickets stand, in two reads side by side. A create is neither looked up nor loaded, unless it
   * comes `again`: its ticket's id is new, and the unique indexes tell when that is not so.
   */
  static async open(round: readonly Received[], log: CommitLog, known: KnownTickets, again: boolean): Promise<Ledger> {
    const ledger = new Ledger(round, log, known);
    const others = again ? round : round.filter(({ command }) => command.type !== 'ticket.create.v1');
    const [found, newest] = await Promise.all([log.find(distinct(others, commitKey)), log.newest(ledger.unknownTickets(others))]);
    ledger.learn([...newest, ...found]);
    ledger.keep(found);
    return ledger;
  }

  /** The next command of every ticket that has no commit yet. */
  wave(): Received[] {
    const seen = new Set<string>();
    return this.round.filter((received) => {
      if (this.commits.has(commitKey(received.command))) return false;
      const key = ticketKey(received.command);
      return !seen.has(key) && seen.add(key);
    });
  }

  state(received: Received): TicketState {
    return this.known.get(received) ?? initial;
  }

  /** Takes note of commits that were stored as decided here. */
  stored(received: Received, commit: Commit, state: TicketState): void {
    this.commits.set(commitKey(commit), commit);
    this.known.set(received, state);
  }

  /** Another instance was faster with something: reads what it did. A command that it did not decide stays in the next wave. */
  async reload(lost: readonly Received[]): Promise<void> {
    for (const received of lost) this.known.forget(received);
    const commands = lost.map(({ command }) => command);
    const [found, newest] = await Promise.all([this.log.find(commands), this.log.newest(distinct(lost, ticketKey))]);
    this.learn([...newest, ...found]);
    this.keep(found);
  }

  /** Every command with its commit, in the order of the round. */
  outcomes(): { received: Received; commit: Commit }[] {
    return this.round.map((received) => ({ received, commit: this.commits.get(commitKey(received.command))! }));
  }

  private unknownTickets(round: readonly Received[]) {
    return distinct(
      round.filter((received) => this.known.get(received) === undefined),
      ticketKey,
    );
  }

  private keep(found: readonly Commit[]): void {
    for (const commit of found) this.commits.set(commitKey(commit), commit);
  }

  /** A commit says where its ticket stands, unless something newer is known. */
  private learn(commits: readonly Commit[]): void {
    const applied = new Map<string, Commit>();
    for (const commit of commits) {
      const newest = applied.get(ticketKey(commit));
      if (commit.version !== undefined && commit.outcome === 'applied' && commit.version > (newest?.version ?? 0)) applied.set(ticketKey(commit), commit);
    }
    for (const received of this.round) {
      const commit = applied.get(ticketKey(received.command));
      const state = this.known.get(received);
      if (commit === undefined || (state?.status === 'exists' && state.ticket.version >= commit.version!)) continue;
      this.known.set(received, stateAfter(commit));
    }
  }
}

function distinct(round: readonly Received[], key: (command: Received['command']) => string): Received['command'][] {
  return [...new Map(round.map(({ command }) => [key(command), command])).values()];
}
