import { Injectable } from '@nestjs/common';
import { v5 } from 'uuid';
import { directoryKey, eventId, type Assistant, type KnownMember, type NoticeData, type TicketEvent } from '#contracts';
import type { Claimant } from '../deliveries/claims.consumer.js';
import { Deliveries } from '../deliveries/deliveries.store.js';
import type { Claim } from '../deliveries/delivery.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { mentionsIn, mostMentions, type Mention } from './mentions.js';
import { askerOf, concernedBy, isOwn, mayHear, writingIn, type Happening, type Writing } from './notice.policy.js';
import { NoticeTickets } from './notice-tickets.store.js';
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
  ) {}

  /** @throws StoreFault, Overloaded, NotAcknowledged */
  async claims(events: readonly TicketEvent[]): Promise<Claim[]> {
    // First, so that no notice is ever there without knowing who sees its ticket.
    await this.tickets.follow(events);
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

  /** What is found, for those of the organisation who may hear of it. */
  private async judged(found: readonly Found[]): Promise<Told[]> {
    const entries = await this.directory.some(new Set(found.flatMap(keysOf)));
    const named = await this.named(found);
    return found.flatMap((one) => {
      const { event } = one;
      const { orgId, ticketId, version, actor, onBehalfOf, at, ticket } = event;
      const member = (id: string) => entries.get(directoryKey({ orgId, kind: 'member', id })) as KnownMember | undefined;
      const assistant = ticket.assistantId === null ? undefined : (entries.get(directoryKey({ orgId, kind: 'assistant', id: ticket.assistantId })) as Assistant | undefined);
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
  const ids = [...concerned.keys(), ...mentions.flatMap((mention) => ('ids' in mention ? mention.ids : mention.name))];
  const members = ids.map((id) => directoryKey({ orgId, kind: 'member', id }));
  return ticket.assistantId === null ? members : [...members, directoryKey({ orgId, kind: 'assistant', id: ticket.assistantId })];
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
