import type { TicketCommand } from '#contracts';
import type { SeedOrganisation } from './organisations.js';
import { supportCase } from './support-case.js';

/** How many tickets an organisation gets. */
export interface Share {
  organisation: SeedOrganisation;
  tickets: number;
}

/** What to make. */
export interface Plan {
  seed: number;
  shares: readonly Share[];
  /** Until when the tickets reach, ms since the epoch. */
  end: number;
}

/** The next command, and how far all is once it is sent. */
export interface Planned {
  command: TicketCommand;
  /** Tickets that have got all their commands. */
  tickets: number;
  /** So many of the first tickets have got all their commands: a later run may leave them out. */
  complete: number;
}

/** Shares out tickets: evenly, or the first organisation gets half and of the others each less than the one before. Everybody gets one at least. */
export function sharesOf(tickets: number, organisations: readonly SeedOrganisation[], { even = false } = {}): Share[] {
  const weights = organisations.map((_, index) => (even ? 1 : index ** -0.7));
  const others = even ? weights : weights.slice(1);
  const total = others.reduce((sum, weight) => sum + weight, 0);
  const room = even || organisations.length === 1 ? tickets : tickets / 2;
  const shares = organisations.map((organisation, index): Share => {
    const isFirst = index === 0 && !even;
    return { organisation, tickets: isFirst ? 0 : Math.max(1, Math.floor((room * weights[index]!) / total)) };
  });
  const given = shares.reduce((sum, share) => sum + share.tickets, 0);
  shares[0]!.tickets = Math.max(1, shares[0]!.tickets + tickets - given);
  return shares;
}

/** Tickets of which the commands alternate: the write path decides one command of a ticket at a time, and of many tickets at once. */
const sideBySide = 400;

/** A ticket some of whose commands are still to come. */
interface OpenCase {
  /** Its place among all, by age. */
  place: number;
  commands: readonly TicketCommand[];
  next: number;
}

/**
 * All commands of a plan: tickets by their age, the oldest first, so that numbers rise with time; each ticket's commands in order, with those
 * of other tickets between them.
 * @param from so many of the first tickets are left out
 */
export function* commandsOf(plan: Plan, from = 0): Generator<Planned> {
  const cases = casesOf(plan, from);
  const open = several(cases, sideBySide);
  let [tickets, complete] = [from, from];
  for (let turn = 0; open.length > 0; turn++) {
    const which = turn % open.length;
    const current = open[which]!;
    const command = current.commands[current.next++]!;
    if (current.next === current.commands.length) {
      tickets++;
      open.splice(which, 1, ...several(cases, 1));
      complete = Math.min(...open.map(({ place }) => place), tickets);
    }
    yield { command, tickets, complete };
  }
}

/** At most so many of what is to come. */
function several<T>(from: Iterator<T, void>, count: number): T[] {
  const taken: T[] = [];
  for (let next = from.next(); !next.done; next = from.next()) if (taken.push(next.value) === count) break;
  return taken;
}

function* casesOf({ seed, shares, end }: Plan, from: number): Generator<OpenCase, void> {
  const made = shares.map(() => 0);
  const all = shares.reduce((sum, { tickets }) => sum + tickets, 0);
  for (let place = 0; place < all; place++) {
    const which = leastFar(shares, made);
    const { organisation, tickets: of } = shares[which]!;
    const index = made[which]!++;
    if (place >= from) yield { place, commands: supportCase({ seed, organisation, index, of, end }), next: 0 };
  }
}

/** The organisation whose next ticket is the oldest. */
function leastFar(shares: readonly Share[], made: readonly number[]): number {
  let which = 0;
  let least = Infinity;
  for (const [index, { tickets }] of shares.entries()) {
    const far = made[index]! < tickets ? (made[index]! + 0.5) / tickets : Infinity;
    if (far < least) [which, least] = [index, far];
  }
  return which;
}
