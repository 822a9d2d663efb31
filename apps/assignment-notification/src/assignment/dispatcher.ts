import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { v5 } from 'uuid';
import type { AssignmentRule } from '#contracts';
import { RecordProducer, type OutgoingRecord } from '#messaging';
import { commandRecord, commandText, type Sender } from '../commands.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { Loop } from '../loop.js';
import { allotted, lastLook, troubles } from '../metrics.js';
import { Agenda, type Held } from './agenda.store.js';
import { freeFor, keyOf, wantedBy, type Team } from './choice.policy.js';
import { awaitedBy, commandNamespace, deal, earlier, nextReturn, type Dealt } from './deal.js';
import { HandBacks, type HandedBack } from './hand-backs.store.js';
import { RuleBook } from './rule-book.store.js';
import { teamOf } from './team.js';
import { Room, TrackedTickets, type FoundTicket } from './tracked-tickets.store.js';

/** After trouble, ms. */
const troubledMs = 1_000;
/** How often it is looked whether somebody died before they told, ms. */
const recallMs = 3_000;
/** Organisations that are recalled at once. */
const mostRecalled = 500;
/** How long something may come of a choice that was sent, ms: much longer than ticket-command may be away. */
const patienceMs = 3_600_000;

/**
 * Deals out tickets that need somebody. What each gets is stored before its command is sent: whoever goes on after a crash sends what was stored and chooses
 * nothing again.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('assignment');
  private readonly loop = new Loop(() => this.next(), (error) => this.trouble(error), { idleMs: 500, troubledMs });
  private recallAt = 0;

  constructor(
    private readonly agenda: Agenda,
    private readonly tickets: TrackedTickets,
    private readonly book: RuleBook,
    private readonly directory: DirectoryStore,
    private readonly handBacks: HandBacks,
    private readonly producer: RecordProducer,
  ) {}

  onApplicationBootstrap(): void {
    this.agenda.onWake(() => this.loop.wake());
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  private trouble(error: unknown): void {
    troubles.inc();
    this.logger.warn({ msg: 'tickets cannot be dealt out right now', err: error });
  }

  /** Deals out for one organisation where that is due. @returns whether it was @throws StoreFault, Fault */
  async next(): Promise<boolean> {
    await this.recall();
    const held = await this.agenda.take();
    lastLook.set(Date.now() / 1_000);
    if (held === undefined) return false;
    try {
      await this.sendStored(held.orgId);
      await this.agenda.finish(held, await this.dealOut(held, Date.now()));
    } catch (error) {
      // Later, so that others have their turn. Where even that cannot be stored, its lease runs out.
      await this.agenda.finish(held, new Date(Date.now() + troubledMs)).catch(() => undefined);
      throw error;
    }
    return true;
  }

  /** @returns when to look again; null for not before something happens */
  private async dealOut(held: Held, at: number): Promise<Date | null> {
    const { orgId } = held;
    await this.tickets.giveUp(orgId, new Date(at - patienceMs));
    // Tickets are read after the rules: what these rules do not know of has woken us again.
    const { rules: all, revision: edition } = await this.book.edition(orgId);
    const rules = all.filter(({ enabled }) => enabled);
    const room = new Room();
    const looked = [...(await this.tickets.fresh(orgId, room)), ...(await this.tickets.outdated(orgId, edition, room))];
    const awaited = new Set(await this.tickets.awaited(orgId));
    if (looked.length === 0 && awaited.size === 0) return this.givenUpAt(orgId);
    const people = await this.directory.people(orgId, rules.flatMap(wantedBy));
    const team = teamOf(rules, people, { at, loads: await this.tickets.loads(orgId, rules.flatMap(wantedBy).map(keyOf)) });
    const isMoreToLookAt = room.isFull;
    const waiting = await this.waiting({ orgId, edition, room }, rules.filter((rule) => awaited.has(rule.id)), team);
    const tickets = [...looked, ...waiting];
    const holders = await this.directory.people(orgId, tickets.flatMap(({ need }) => need.holder ?? []));
    const dealt = deal(tickets, { rules, edition, holders, team, turns: held.turns, at });
    if (!(await this.agenda.keep(held))) return new Date(at);
    await this.store(held, dealt, all);
    await this.sendStored(orgId);
    if (isMoreToLookAt || dealt.findings.slice(looked.length).some(({ state }) => state !== 'waits')) return new Date(at);
    return earlier(nextReturn(rules, people, { awaited: new Set([...awaited, ...awaitedBy(dealt)]), at }), await this.givenUpAt(orgId));
  }

  private async store(held: Held, { findings, turns }: Dealt, rules: readonly AssignmentRule[]): Promise<void> {
    if (findings.some(({ state }) => state === 'chosen')) await this.agenda.turn(held, new Map(rules.flatMap(({ id }) => (turns.has(id) ? [[id, turns.get(id)!]] : []))));
    await this.tickets.settle(findings);
    for (const { state } of findings) allotted.inc({ outcome: state });
  }

  /** When what was chosen is given up, should nothing come of it. */
  private async givenUpAt(orgId: string): Promise<Date | null> {
    const oldest = await this.tickets.oldestChoice(orgId);
    return oldest === undefined ? null : new Date(oldest.getTime() + patienceMs);
  }

  private async waiting({ orgId, edition, room }: { orgId: string; edition: number; room: Room }, rules: readonly AssignmentRule[], team: Team): Promise<FoundTicket[]> {
    const found: FoundTicket[] = [];
    for (const rule of rules) {
      const [first, second] = freeFor(rule, team);
      // Of two who are free, one at least did not give the ticket back.
      if (first !== undefined) found.push(...(await this.tickets.waiting(orgId, { ruleId: rule.id, edition, only: second === undefined ? first : undefined }, room)));
    }
    return found;
  }

  /** Wakes organisations that somebody stored something for and died before it told. */
  private async recall(): Promise<void> {
    if (Date.now() < this.recallAt) return;
    this.recallAt = Date.now() + recallMs;
    const untold = await this.book.news(mostRecalled);
    await this.agenda.wake(new Set([...untold.map(({ orgId }) => orgId), ...(await this.handBacks.unsentSince(new Date(Date.now() - recallMs)))]));
    for (const one of untold) await this.book.heard(one);
  }

  /** Sends what was decided on and may not have been sent: after a crash, too. */
  private async sendStored(orgId: string): Promise<void> {
    const choices = await this.tickets.unsent(orgId);
    await this.send(choices.map(({ ticketId, choice }) => commandRecord('ticket.assign.v1', { orgId, ticketId }, choice)));
    await this.tickets.markSent(orgId, choices.map(({ choice }) => choice.commandId));
    for (const handBack of await this.handBacks.unsent(orgId)) {
      await this.release(handBack);
      await this.handBacks.markSent(handBack._id);
    }
  }

  private async release(handBack: HandedBack): Promise<void> {
    const { ticketIds } = handBack;
    for (let i = 0; i < ticketIds.length; i += 500) await this.send(releases({ ...handBack, ticketIds: ticketIds.slice(i, i + 500) }));
  }

  private async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length > 0) await this.producer.send(records, { deadline: Date.now() + 10_000 });
  }
}

function releases({ _id, orgId, command, ticketIds, at }: HandedBack): OutgoingRecord[] {
  const { sender, data } = JSON.parse(command) as { sender: Sender; data: Parameters<typeof commandText<'ticket.assign.v1'>>[2] };
  return ticketIds.map((ticketId) => commandRecord('ticket.assign.v1', { orgId, ticketId }, { commandId: v5(`${_id}/${ticketId}`, commandNamespace), command: commandText(sender, { orgId, ticketId }, data), at }));
}
