import type { Commit, CommitLog, NumberBlocks } from '#persistence';
import type { Received } from './command-record.js';
import { judge, type Verdict } from './judge.js';
import type { KnownTickets } from './known-tickets.js';
import { Ledger } from './ledger.js';
import type { Outcomes } from './outcomes.js';

type Decided = Verdict & { received: Received };

/** The write path: one round of commands becomes commits, events and answers. */
export class TicketHandler {
  constructor(
    private readonly log: CommitLog,
    private readonly numbers: Pick<NumberBlocks, 'take'>,
    private readonly outcomes: Outcomes,
    private readonly known: KnownTickets,
    private readonly clock: () => number = Date.now,
  ) {}

  /**
   * Handles commands of one or more partitions, each partition in offset order. Returns once every outcome is on its topic.
   * @param again the round was tried before, or some of it
   * @throws an error with `passes: true` when the store or the broker is down, any other for a command that the store will never take; either
   *   way the same round, or its commands one by one, may be handed in again: what was stored is found
   */
  async handle(round: readonly Received[], again: boolean): Promise<void> {
    let [left, size] = [round, round.length];
    while (left.length > 0) {
      const handled = await this.handleSome(left.slice(0, size), again);
      left = left.filter((received) => !handled.has(received));
      // What there was no room for is not looked up again and again.
      size = 4 * handled.size;
    }
  }

  /** Handles as much as there is room for, most often all of it. @returns what was handled, at least one */
  private async handleSome(round: readonly Received[], again: boolean): Promise<ReadonlySet<Received>> {
    const ledger = await Ledger.open(round, { log: this.log, known: this.known }, again);
    for (let wave = ledger.wave(); wave.length > 0; wave = ledger.wave()) {
      await this.store(await this.decide(wave, ledger), ledger);
    }
    const outcomes = ledger.outcomes();
    await this.outcomes.publish(outcomes);
    return new Set(outcomes.map(({ received }) => received));
  }

  private async decide(wave: readonly Received[], ledger: Ledger): Promise<Map<Commit, Decided>> {
    const numberOf = await this.numbersFor(wave.filter((received) => isBirth(received, ledger)));
    const now = this.clock();
    const verdicts = wave.map((received) => ({ received, ...judge(received, { state: ledger.state(received), now, number: numberOf(received) }) }));
    return new Map(verdicts.map((verdict) => [verdict.commit, verdict]));
  }

  private async store(verdicts: Map<Commit, Decided>, ledger: Ledger): Promise<void> {
    const { lost, refused } = await this.log.append([...verdicts.keys()]);
    if (refused.length > 0) throw refused[0]!.error;
    const failed = new Set(lost);
    for (const [commit, verdict] of verdicts) if (!failed.has(commit)) ledger.stored(verdict.received, verdict);
    if (lost.length > 0) await ledger.reload(lost.map((commit) => verdicts.get(commit)!.received));
  }

  /** Numbers for tickets to be, one request to the counter of each organisation that needs more than it has; 0 for whatever is none. */
  private async numbersFor(births: readonly Received[]): Promise<(received: Received) => number> {
    const needs = new Map<string, number>();
    for (const { command } of births) needs.set(command.orgId, (needs.get(command.orgId) ?? 0) + 1);
    const taken = new Map(await Promise.all([...needs].map(async ([orgId, count]) => [orgId, await this.numbers.take(orgId, count)] as const)));
    const numbers = new Map(births.map((received) => [received, taken.get(received.command.orgId)!.shift()!]));
    return (received) => numbers.get(received) ?? 0;
  }
}

/** A create of a ticket that is remembered is a repeat, or refused: it needs no number. */
const isBirth = (received: Received, ledger: Ledger) => received.command.type === 'ticket.create.v1' && ledger.state(received).status === 'none';
