import { Injectable } from '@nestjs/common';
import { v5 } from 'uuid';
import { directoryKey, eventId, type Assistant, type DeadlineNews, type KnownMember, type NoticeData, type TicketEvent } from '#contracts';
import type { Claimant } from '../deliveries/claims.consumer.js';
import { Deliveries } from '../deliveries/deliveries.store.js';
import type { Claim } from '../deliveries/delivery.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { LiveNotices } from './live-notices.js';
import { mentionsIn, mostMentions, type Mention } from './mentions.js';
import { askerOf, concernedBy, isOwn, mayHear, writingIn, type Happening, type Writing } from './notice.policy.js';
import { NoticeTickets, ticketKey } from './notice-tickets.store.js';
import { NoticeStore, type StoredNotice } from './notices.store.js';
import { Postbox } from './postbox.js';
import { Preferences, preferencesKey } from './preferences.store.js';
import { chosenOf, hourOf } from './timing.js';

/** Ids of notices derive from whom they tell what: never change it. */
const namespace = '3b0f3c0e-5b0a-4c56-9a41-8e4f8c1b7d02';

/** An event, and whom it may be told. */
interface Found {
  event: TicketEvent;
  concerned: Map<string, Happening[]>;
  writing: Writing | undefined;
  mentions: Mention[];
}

/** Something that somebody is told, without when. */
type Told = Pick<StoredNotice, '_id' | 'orgId' | 'ticketId' | 'version' | 'actor' | 'onBehalfOf' | 'at'> & { member: KnownMember; happenings: Happening[] };

/** What administrators of an organisation have to know. */
export interface Announcement {
  /** Tells it from all others: it may be announced again. */
  id: string;
  at: Date;
  data: NoticeData<'organisation'>;
}

/** Finds out whom events concern, and stores what each of them is told: once, as they want it then, if they may hear of it. */
@Injectable()
export class Noticing implements Claimant {
  constructor(
    private readonly directory: DirectoryStore,
    private readonly tickets: NoticeTickets,
    private readonly notices: NoticeStore,
    private readonly preferences: Preferences,
    private readonly postbox: Postbox,
    private readonly deliveries: Deliveries,
    private readonly live: LiveNotices,
  ) {}

  /** First, so that no notice is ever there without knowing who sees its ticket. @throws StoreFault */
  follow(events: readonly TicketEvent[]): Promise<void> {
    return this.tickets.follow(events);
  }

  /** @throws StoreFault, Overloaded, NotAcknowledged */
  async claims(events: readonly TicketEvent[]): Promise<Claim[]> {
    const found = events.map(foundIn).filter(({ concerned, mentions }) => concerned.size > 0 || mentions.length > 0);
    return found.length === 0 ? [] : this.tell(await this.judged(found));
  }

  /** Tells the administrators of an organisation. @throws StoreFault, Overloaded, NotAcknowledged */
  async announce(orgId: string, { id, at, data }: Announcement): Promise<void> {
    const happenings: Happening[] = [{ kind: 'organisation', data, isNote: false }];
    const about = { orgId, ticketId: null, version: null, actor: { type: 'system' as const, id: 'assignment-notification', name: 'Deskstream' }, at: at.toISOString() };
    const members = await this.directory.administrators(orgId);
    const claims = await this.tell(members.map((member) => ({ ...about, _id: idOf(orgId, member.id, id), member, happenings })));
    await this.deliveries.claim(claims);
  }

  /** Tells whose ticket it is, and whom the policy names, of deadlines that are near or missed. @throws StoreFault, Overloaded, NotAcknowledged */
  async tellDeadlines(news: readonly DeadlineNews[]): Promise<void> {
    const due = news.flatMap(dueIn);
    const tickets = await this.tickets.some(new Set(due.map(({ news: { orgId, ticketId } }) => ticketKey(orgId, ticketId))));
    const known = due.flatMap(({ news: one, ...rest }) => {
      const ticket = tickets.get(ticketKey(one.orgId, one.ticketId));
      // Without a name there is nothing to tell of it.
      if (ticket === undefined ? one.called === undefined : ticket.isDeleted) return [];
      return { news: one, sight: ticket && ticket.version >= one.version ? ticket : one.sight, ...rest };
    });
    await this.tickets.keep(known.map(({ news: one }) => one));
    const entries = await this.directory.some(new Set(known.flatMap(({ news: { orgId }, memberIds, sight }) => entryKeys(orgId, memberIds, sight.assistantId))));
    const told = known.flatMap(({ news: { orgId, ticketId, version, at }, id, memberIds, happening, sight }) =>
      memberIds.flatMap((memberId): Told[] => {
        const member = entries.get(directoryKey({ orgId, kind: 'member', id: memberId })) as KnownMember | undefined;
        const assistant = assistantIn(entries, orgId, sight.assistantId);
        if (member === undefined || !mayHear(askerOf(member, assistant), sight, false)) return [];
        return [{ _id: idOf(orgId, memberId, id), orgId, ticketId, version, actor: { type: 'system', id: 'deadlines', name: 'Deadlines' }, at, member, happenings: [happening] }];
      }),
    );
    await this.deliveries.claim(await this.tell(told));
  }

  /** What is found, for those of the organisation who may hear of it. */
  private async judged(found: readonly Found[]): Promise<Told[]> {
    const entries = await this.directory.some(new Set(found.flatMap(keysOf)));
    const named = await this.named(found);
    return found.flatMap((one) => {
      const { event } = one;
      const { orgId, ticketId, version, actor, onBehalfOf, at, ticket } = event;
      const member = (id: string) => entries.get(directoryKey({ orgId, kind: 'member', id })) as KnownMember | undefined;
      const assistant = assistantIn(entries, orgId, ticket.assistantId);
      const meant = one.mentions.flatMap((mention) => ('ids' in mention ? (mention.ids.map(member).find((there) => there !== undefined) ?? []) : [...(member(mention.name) ? [member(mention.name)!] : []), ...named(orgId, mention.name)])).slice(0, mostMentions);
      return [...addressed(one, meant, member)].flatMap(([whom, happenings]) => {
        const mayBeTold = happenings.filter(({ isNote }) => mayHear(askerOf(whom, assistant), ticket, isNote));
        if (mayBeTold.length === 0 || isOwn(event, whom.id)) return [];
        return { _id: idOf(orgId, whom.id, eventId(ticketId, version)), orgId, ticketId, version, actor, ...(onBehalfOf && { onBehalfOf }), at, member: whom, happenings: mayBeTold };
      });
    });
  }

  private async named(found: readonly Found[]): Promise<(orgId: string, name: string) => KnownMember[]> {
    const byOrg = Map.groupBy(found.flatMap(({ event: { orgId }, mentions }) => mentions.flatMap((mention) => ('name' in mention ? { orgId, name: mention.name } : []))), ({ orgId }) => orgId);
    const people = new Map<string, KnownMember[]>();
    for (const [orgId, some] of byOrg) people.set(orgId, await this.directory.named(orgId, [...new Set(some.map(({ name }) => name))]));
    return (orgId, name) => (people.get(orgId) ?? []).filter((one) => one.name === name);
  }

  /** Stores what people are told as they want it, and has the app and the mail tell it. What was stored before stays as it was decided then. */
  private async tell(told: readonly Told[]): Promise<Claim[]> {
    const preferences = await this.preferences.of([...new Set(told.map(({ orgId, member }) => preferencesKey(orgId, member.id)))]);
    const now = new Date();
    const wanted = told.flatMap(({ member, happenings, ...about }): StoredNotice[] => {
      const chosen = chosenOf(happenings, preferences(preferencesKey(about.orgId, member.id)));
      if (chosen === undefined) return [];
      const { kind, data, isNote } = chosen.happening;
      const hour = hourOf(member, now);
      const shownAt = { 'at-once': now, hourly: hour.to, never: null }[chosen.inApp];
      const digest = chosen.email === 'hourly' ? this.postbox.digestOf(about.orgId, member.id, hour) : null;
      return [{ ...about, memberId: member.id, kind, data, isNote, shownAt, readAt: null, mailedFor: chosen.mailedFor, digest, mailedAt: null, createdAt: now }];
    });
    const stored = await this.notices.add(wanted);
    await this.live.tell(stored);
    return this.postbox.claims(stored);
  }
}

const idOf = (orgId: string, memberId: string, what: string) => v5(JSON.stringify([orgId, memberId, what]), namespace);

function foundIn(event: TicketEvent): Found {
  const writing = writingIn(event);
  return { event, concerned: concernedBy(event), writing, mentions: writing === undefined ? [] : mentionsIn(writing.text) };
}

/** Entries of the directory that are needed to judge it. */
function keysOf({ event: { orgId, ticket }, concerned, mentions }: Found): string[] {
  return entryKeys(orgId, [...concerned.keys(), ...mentions.flatMap((mention) => ('ids' in mention ? mention.ids : mention.name))], ticket.assistantId);
}

function entryKeys(orgId: string, memberIds: readonly string[], assistantId: string | null): string[] {
  const members = memberIds.map((id) => directoryKey({ orgId, kind: 'member', id }));
  return assistantId === null ? members : [...members, directoryKey({ orgId, kind: 'assistant', id: assistantId })];
}

const assistantIn = (entries: ReadonlyMap<string, KnownMember | Assistant>, orgId: string, id: string | null) =>
  id === null ? undefined : (entries.get(directoryKey({ orgId, kind: 'assistant', id })) as Assistant | undefined);

/** What is told once of a deadline, and whom. */
function dueIn(news: DeadlineNews): { news: DeadlineNews; id: string; memberIds: string[]; happening: Happening }[] {
  if (news.type !== 'ticket.deadline-warning.v1' && news.type !== 'ticket.deadline-missed.v1') return [];
  const { ticketId, sight } = news;
  const { kind, since, dueAt } = news.deadline;
  const state = news.type === 'ticket.deadline-missed.v1' ? 'missed' : 'warning';
  const named = news.type === 'ticket.deadline-missed.v1' ? (news.tell ?? []) : [];
  const memberIds = [...(sight.assignee ? [sight.assignee] : []), ...named].flatMap(({ type, id }) => (type === 'member' ? id : []));
  return [{ news, id: `${ticketId}:${kind}:${since}:${state}`, memberIds: [...new Set(memberIds)], happening: { kind: 'deadline', data: { deadline: kind, state, dueAt }, isNote: false } }];
}

/** Members, with all that it is to them: that they got the ticket comes first, then that somebody meant them. */
function addressed({ concerned, writing }: Found, meant: readonly KnownMember[], member: (id: string) => KnownMember | undefined): Map<KnownMember, Happening[]> {
  const all = new Map<string, { member: KnownMember; happenings: Happening[] }>();
  const add = (whom: KnownMember | undefined, happening: Happening) => {
    if (whom === undefined) return;
    const known = all.get(whom.id) ?? { member: whom, happenings: [] };
    if (!known.happenings.some(({ kind }) => kind === happening.kind)) known.happenings.push(happening);
    all.set(whom.id, known);
  };
  const each = [...concerned].flatMap(([id, happenings]) => happenings.map((happening) => ({ id, happening })));
  for (const { id, happening } of each) if (happening.kind === 'assigned') add(member(id), happening);
  if (writing) for (const whom of meant) add(whom, writing.happening);
  for (const { id, happening } of each) add(member(id), happening);
  return new Map([...all.values()].map(({ member: whom, happenings }) => [whom, happenings]));
}
