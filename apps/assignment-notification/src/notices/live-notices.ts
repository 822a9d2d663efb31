import { Injectable } from '@nestjs/common';
import { topics, type NoticeTold } from '#contracts';
import { RecordProducer, toHeaders, type OutgoingRecord } from '#messaging';
import { toldAs } from './notice-reads.js';
import { NoticeTickets, ticketKey, type NoticeTicket } from './notice-tickets.store.js';
import type { StoredNotice } from './notices.store.js';

/** What was stored longer ago is no news to who listens, ms. */
const newsMs = 600_000;

/** Tells gateways what people are told, for those who listen now: at least once, after it was stored. */
@Injectable()
export class LiveNotices {
  constructor(
    private readonly tickets: NoticeTickets,
    private readonly producer: RecordProducer,
  ) {}

  /** @throws StoreFault, Overloaded, NotAcknowledged */
  async tell(notices: readonly StoredNotice[]): Promise<void> {
    const now = Date.now();
    const live = notices.filter(({ shownAt, readAt, createdAt }) => shownAt !== null && shownAt.getTime() <= now && readAt === null && createdAt.getTime() > now - newsMs);
    if (live.length === 0) return;
    const tickets = await this.tickets.some(new Set(live.flatMap(({ orgId, ticketId }) => (ticketId === null ? [] : ticketKey(orgId, ticketId)))));
    const records = live.flatMap((notice) => {
      const ticket = notice.ticketId === null ? null : tickets.get(ticketKey(notice.orgId, notice.ticketId));
      return ticket === undefined || ticket?.isDeleted ? [] : recordOf(notice, ticket);
    });
    if (records.length > 0) await this.producer.send(records);
  }
}

function recordOf(notice: StoredNotice, ticket: NoticeTicket | null): OutgoingRecord {
  const { _id: id, orgId, memberId, isNote, createdAt } = notice;
  const key = `${orgId}/${memberId}`;
  const sight = ticket && { assistantId: ticket.assistantId, assignee: ticket.assignee, createdBy: ticket.createdBy };
  const value: NoticeTold = { orgId, memberId, sight, isNote, notice: toldAs(notice, ticket) };
  return { topic: topics.notices, key, value: JSON.stringify(value), headers: toHeaders({ id, type: 'notice.told.v1', source: '/assignment-notification', subject: key, time: createdAt.toISOString(), orgId }) };
}
