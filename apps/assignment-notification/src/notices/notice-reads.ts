import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Notice, NoticePage, NoticesQuery, Principal } from '#contracts';
import { ProblemError } from '#observability';
import { mayHear } from './notice.policy.js';
import { NoticeTickets, ticketKey, type NoticeTicket } from './notice-tickets.store.js';
import { mostOfOne, NoticeStore, type NoticePlace, type StoredNotice } from './notices.store.js';

/** Somebody who asks for what they are told, and whose it is. */
export interface Person extends Principal {
  memberId: string;
}

/** Only people are told anything. @throws ProblemError 403 */
export function person({ principal }: FastifyRequest): Person {
  if (principal.actor.type === 'member') return { ...principal, memberId: principal.actor.id };
  throw new ProblemError('forbidden', 'This needs role member.', { missing: 'role member' });
}

/** Notices are read in pieces of so many: some may be hidden. */
const piece = 200;

/** Reads what somebody is told, without what they may not see any more: judged by who asks now, and by the ticket as it is now. */
@Injectable()
export class NoticeReads {
  constructor(
    private readonly notices: NoticeStore,
    private readonly tickets: NoticeTickets,
  ) {}

  /** @throws StoreFault, ProblemError invalid-cursor */
  async page(who: Person, { after, limit, unread }: NoticesQuery): Promise<NoticePage> {
    const items: { stored: StoredNotice; notice: Notice }[] = [];
    for await (const some of this.pieces(who, { after: placeOf(after), isUnread: unread === 'true' })) {
      items.push(...some);
      if (items.length > limit) break;
    }
    const shown = items.slice(0, limit);
    return { items: shown.map(({ notice }) => notice), nextAfter: items.length > limit ? cursorOf(shown.at(-1)!.stored) : null };
  }

  /** @throws StoreFault */
  async unread(who: Person): Promise<number> {
    let count = 0;
    for await (const some of this.pieces(who, { isUnread: true })) count += some.length;
    return Math.min(count, mostOfOne);
  }

  /** One that they may see. @throws StoreFault */
  async find(who: Person, id: string): Promise<StoredNotice | undefined> {
    const stored = await this.notices.find(who, id);
    return stored === null ? undefined : (await this.visible(who, [stored]))[0]?.stored;
  }

  private async *pieces(who: Person, { after, isUnread }: { after?: NoticePlace | undefined; isUnread: boolean }) {
    for (let [from, seen]: [NoticePlace | undefined, number] = [after, 0]; seen <= mostOfOne; ) {
      const stored = await this.notices.shown(who, { after: from, isUnread, limit: piece });
      yield await this.visible(who, stored);
      if (stored.length < piece) return;
      const last = stored.at(-1)!;
      [from, seen] = [{ shownAt: last.shownAt!, id: last._id }, seen + stored.length];
    }
  }

  private async visible(who: Person, stored: readonly StoredNotice[]) {
    const tickets = await this.tickets.some(new Set(stored.flatMap(({ orgId, ticketId }) => (ticketId === null ? [] : ticketKey(orgId, ticketId)))));
    return stored.flatMap((one) => {
      const notice = noticeFor(who, one, one.ticketId === null ? null : tickets.get(ticketKey(one.orgId, one.ticketId)));
      return notice === undefined ? [] : { stored: one, notice };
    });
  }
}

/** A notice as it is told; undefined for who may not hear of it now. @param ticket null for what is about the organisation */
export function noticeFor(who: Pick<Principal, 'actor' | 'access'>, stored: StoredNotice, ticket: NoticeTicket | null | undefined): Notice | undefined {
  if (ticket === undefined || ticket?.isDeleted || !mayHear(who, ticket, stored.isNote)) return undefined;
  return toldAs(stored, ticket);
}

/** A notice in words, for who may hear of it. */
export function toldAs({ _id: id, kind, data, at, readAt, actor, onBehalfOf, ticketId, version }: StoredNotice, ticket: NoticeTicket | null): Notice {
  const called = ticket && { id: ticketId!, number: ticket.number, title: ticket.title };
  return { id, kind, at, readAt: readAt && readAt.toISOString(), actor, ...(onBehalfOf && { onBehalfOf }), ticket: called, version, data } as Notice;
}

const cursorOf = ({ shownAt, _id }: StoredNotice) => Buffer.from(`${shownAt!.getTime()}/${_id}`).toString('base64url');

function placeOf(cursor: string): NoticePlace | undefined {
  if (cursor === '0') return undefined;
  const [, ms, id] = /^(\d{1,15})\/([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (id === undefined || new Date(Number(ms)).getTime() !== Number(ms)) throw new ProblemError('invalid-cursor', '`after` is not a place in this list.');
  return { shownAt: new Date(Number(ms)), id };
}
