import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { v5 } from 'uuid';
import type { AssignmentRule, AssigneeInput } from '#contracts';
import { RecordProducer, type OutgoingRecord } from '#messaging';
import { commandRecord, commandText, type Sender } from '../commands.js';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { Loop } from '../loop.js';
import { allotted, lastLook, troubles } from '../metrics.js';
import { Agenda, type Held } from './agenda.store.js';
import { allot, hasSomebodyFree, keyOf, wantedBy, type Allotment, type Person } from './choice.policy.js';
import { HandBacks, type HandedBack } from './hand-backs.store.js';
import { RuleBook } from './rule-book.store.js';
import { teamOf } from './team.js';
import type { NeedyTicket } from './ticket-course.projection.js';
import { TrackedTickets, type Finding } from './tracked-tickets.store.js';
import { backAt, isAway } from './working-hours.js';

/** Part of what ids of commands derive from: never change it. */
const namespace = '9a0c7b8e-5b0f-4f56-8f3a-2d8f6e1c4b70';

/** Histories show it, and it may assign any ticket of the organisation. */
const rulesThemselves: Sender = { actor: { type: 'system', id: 'assignment', name: 'Assignment rules' }, access: { role: 'admin', assistantIds: [] } };

/** Tickets that are dealt out at once. */
const handful = 200;
/** How often the agenda is looked at where nothing wakes this process: other processes wake theirs, and clocks go on, ms. */
const pauseMs = 500;
/** After trouble, ms. */
const troubledMs = 1_000;

/**
 * Deals out tickets that need somebody. What each gets is stored before its command is sent: whoever goes on after a crash sends what was stored and chooses
 * nothing again.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('assignment');
  private readonly loop = new Loop(() => this.next(), (error) => this.trouble(error), { idleMs: pauseMs, troubledMs });

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
    // Before the rules: one that was made since then has woken us again.
    const fresh = await this.tickets.fresh(orgId, handful);
    const rules = (await this.book.rules(orgId)).filter(({ enabled }) => enabled);
    const awaited = new Set(await this.tickets.awaited(orgId));
    if (fresh.length === 0 && awaited.size === 0) return null;
    const people = await this.directory.people(orgId);
    const loads = await this.tickets.loads(orgId, rules.flatMap(wantedBy).map(keyOf));
    const team = teamOf(rules, people, { at, loads });
    const waiting = await this.waiting(orgId, rules.filter((rule) => awaited.has(rule.id) && hasSomebodyFree(rule, team)));
    const { findings, turns } = deal([...fresh, ...waiting], { rules, people, team, turns: held.turns, at });
    await this.agenda.turn(held, turns);
    await this.tickets.settle(findings);
    await this.sendStored(orgId);
    for (const { state } of findings) allotted.inc({ outcome: state });
    const isMore = fresh.length === handful || findings.some(({ state }, i) => i >= fresh.length && state === 'chosen');
    return isMore ? new Date(at) : nextLook(rules, people, { awaited: new Set([...awaited, ...findings.flatMap((one) => (one.state === 'waits' ? [one.ruleId] : []))]), at });
  }

  private async waiting(orgId: string, rules: readonly AssignmentRule[]): Promise<NeedyTicket[]> {
    const found: NeedyTicket[] = [];
    for (const { id } of rules) found.push(...(await this.tickets.waiting(orgId, id, handful)));
    return found;
  }

  /** Sends what was decided on and may not have been sent: after a crash, too. */
  private async sendStored(orgId: string): Promise<void> {
    const choices = await this.tickets.unsent(orgId);
    await this.send(choices.map(({ ticketId, choice }) => commandRecord('ticket.assign.v1', { orgId, ticketId }, choice)));
    await this.tickets.markSent(orgId, choices.map(({ choice }) => choice.commandId));
    for (const handBack of await this.handBacks.unsent(orgId)) {
      await this.send(releases(handBack));
      await this.handBacks.markSent(handBack._id);
    }
  }

  private async send(records: readonly OutgoingRecord[]): Promise<void> {
    for (let i = 0; i < records.length; i += 500) await this.producer.send(records.slice(i, i + 500), { deadline: Date.now() + 10_000 });
  }
}

/** What a deal goes by. */
interface Hand {
  rules: readonly AssignmentRule[];
  people: People;
  team: ReadonlyMap<string, Person>;
  turns: ReadonlyMap<string, string>;
  at: number;
}

/** Deals tickets out one after the other: each finds the loads and turns that those before it have left. */
function deal(tickets: readonly NeedyTicket[], { rules, people, team, turns, at }: Hand): { findings: Finding[]; turns: Map<string, string> } {
  const now = { team: new Map(team), turns: new Map(turns) };
  const findings = tickets.map((ticket): Finding => {
    if (isBack(ticket.need.holder, people, at)) return { ticket, state: 'idle' };
    const allotment = allot({ facts: ticket.facts, former: ticket.need.former }, rules, now);
    if (allotment.outcome === 'assigned') countIn(now, allotment);
    return findingOf(ticket, allotment, new Date(at));
  });
  return { findings, turns: new Map([...now.turns].filter(([ruleId, key]) => turns.get(ruleId) !== key)) };
}

/** Makes the next deal see this one. */
export function countIn(now: { team: Map<string, Person>; turns: Map<string, string> }, { rule, to }: Extract<Allotment, { outcome: 'assigned' }>): void {
  const key = keyOf(to);
  const person = now.team.get(key)!;
  now.team.set(key, { ...person, load: person.load + 1 });
  now.turns.set(rule.id, key);
}

function findingOf(ticket: NeedyTicket, allotment: Allotment, at: Date): Finding {
  if (allotment.outcome === 'unmatched') return { ticket, state: 'idle' };
  if (allotment.outcome === 'waits') return { ticket, state: 'waits', ruleId: allotment.rule.id };
  const { ticketId, need } = ticket;
  const { rule, to, explanation } = allotment;
  const ifAssignee = need.holder && { type: need.holder.type, id: need.holder.id };
  const command = commandText<'ticket.assign.v1'>(rulesThemselves, ticket, { to, reason: 'rule', ifAssignee, explanation });
  return { ticket, state: 'chosen', choice: { commandId: v5(`${ticketId}:${need.version}/${rule.id}`, namespace), to, command, at, isSent: false } };
}

/** Whether a reopened ticket is with somebody who is there: then it stays with them. */
function isBack(holder: AssigneeInput | null, { members, assistants }: People, at: number): boolean {
  if (holder === null) return false;
  if (holder.type === 'agent') return assistants.has(holder.id);
  const member = members.get(holder.id);
  return member !== undefined && (member.availability === undefined || !isAway(member.availability, at));
}

/** When somebody comes back whom waiting tickets could be given. Capacity that gets free is told by events. */
function nextLook(rules: readonly AssignmentRule[], { members }: People, { awaited, at }: { awaited: ReadonlySet<string>; at: number }): Date | null {
  const wanted = rules.filter(({ id }) => awaited.has(id)).flatMap(wantedBy);
  const returns = wanted.flatMap(({ type, id }) => {
    const availability = type === 'member' ? members.get(id)?.availability : undefined;
    const back = availability && backAt(availability, at);
    return back == null || back <= at ? [] : [back];
  });
  return returns.length === 0 ? null : new Date(Math.min(...returns));
}

function releases({ _id, orgId, command, ticketIds, at }: HandedBack): OutgoingRecord[] {
  const { sender, data } = JSON.parse(command) as { sender: Sender; data: Parameters<typeof commandText<'ticket.assign.v1'>>[2] };
  return ticketIds.map((ticketId) => commandRecord('ticket.assign.v1', { orgId, ticketId }, { commandId: v5(`${_id}/${ticketId}`, namespace), command: commandText(sender, { orgId, ticketId }, data), at }));
}
