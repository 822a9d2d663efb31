import { DateTime } from 'luxon';
import type { KnownMember, Notice } from '#contracts';
import type { Mail } from '../mail/mail.js';

/** Where links lead, and whose clock times are told by. */
export interface Letterhead {
  to: KnownMember;
  /** Of the console. */
  publicUrl: string;
  /** The same whenever the mail is sent. */
  id: string;
}

/** Tickets and notices that one mail names at most. */
const most = { tickets: 50, ofOne: 10 };

/** What comes from others cannot begin a line: of a subject it would be a header, of a text something that we seem to say. */
const oneLine = (text: string, length = 120) => [...text.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim()].slice(0, length).join('');

/** A mail about one notice. */
export function noticeMail(notice: Notice, head: Letterhead): Mail {
  const { ticket } = notice;
  const subject = ticket === null ? sentenceOf(notice) : `[#${ticket.number}] ${oneLine(ticket.title)}: ${sentenceOf(notice)}`;
  const body = [`${sentenceOf(notice)}${ticket === null ? '' : ` (${titleOf(notice)})`}.`, ...quoteOf(notice), ...(ticket === null ? [] : [linkTo(ticket, head)])];
  const root = ticket && `<ticket-${ticket.id}@${hostOf(head)}>`;
  return { ...mailOf(head, { subject, body, why: `You are told because ${because[notice.kind]}.` }), ...(root && { inReplyTo: root, references: [root] }) };
}

/** A mail about what came in an hour, by ticket. */
export function digestMail(notices: readonly Notice[], head: Letterhead): Mail {
  const zone = head.to.availability?.timeZone ?? 'UTC';
  const byTicket = [...Map.groupBy(notices, ({ ticket }) => ticket?.id ?? '').values()];
  const parts = byTicket.slice(0, most.tickets).flatMap((some) => [
    some[0]!.ticket === null ? titleOf(some[0]!) : `${titleOf(some[0]!)}\n${linkTo(some[0]!.ticket, head)}`,
    ...some.slice(0, most.ofOne).map((notice) => `  ${DateTime.fromISO(notice.at, { zone }).toFormat('HH:mm')}  ${sentenceOf(notice)}${quoteOf(notice).map((quote) => `\n         ${quote}`).join('')}`),
    ...(some.length > most.ofOne ? [`  and ${some.length - most.ofOne} more`] : []),
  ]);
  const others = byTicket.length - most.tickets;
  const subject = `${notices.length === 1 ? 'One notification' : `${notices.length} notifications`}: ${byTicket.slice(0, 5).map(([first]) => titleOf(first!)).join(', ')}`;
  return mailOf(head, { subject, body: others > 0 ? [...parts, `And ${others} more tickets.`] : parts, why: `Times are those of ${zone}.` });
}

function mailOf(head: Letterhead, { subject, body, why }: { subject: string; body: readonly string[]; why: string }): Mail {
  const settings = `${head.publicUrl}/settings/notifications`;
  const { name, email: address } = head.to;
  return {
    to: { name: oneLine(name), address },
    subject: oneLine(subject, 250),
    text: `${body.join('\n\n')}\n\n-- \n${why} Choose what you are told: ${settings}\n`,
    messageId: `<${head.id}@${hostOf(head)}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All', 'List-Unsubscribe': `<${settings}>` },
  };
}

const titleOf = ({ ticket }: Notice) => (ticket === null ? 'Your organisation' : `#${ticket.number} ${oneLine(ticket.title)}`);
const hostOf = ({ publicUrl }: Letterhead) => new URL(publicUrl).hostname;
const linkTo = ({ id }: { id: string }, { publicUrl }: Letterhead) => `${publicUrl}/tickets/${id}`;
const quoteOf = ({ data }: Notice) => ('excerpt' in data && data.excerpt !== '' ? [`> ${oneLine(data.excerpt, 280)}`] : []);

const because: Record<Notice['kind'], string> = {
  assigned: 'the ticket is yours now',
  mentioned: 'somebody mentioned you',
  'requester-replied': 'the ticket is yours',
  deadline: 'the ticket is yours',
  status: 'the ticket is yours, or you opened it',
  organisation: 'you administer the organisation',
};

const words = { open: 'open', pending: 'in progress', resolved: 'resolved', closed: 'closed', 'first-reply': 'first reply', 'next-reply': 'next reply', resolution: 'resolution' } as const;

/** What happened, in a sentence without its end. */
function sentenceOf(notice: Notice): string {
  const who = oneLine(notice.actor.name, 80);
  switch (notice.kind) {
    case 'assigned':
      return `${who} assigned the ticket to you`;
    case 'mentioned':
      return `${who} mentioned you in a ${notice.data.where}`;
    case 'requester-replied':
      return 'the requester wrote';
    case 'deadline':
      return notice.data.state === 'missed' ? `the ${words[notice.data.deadline]} is overdue` : `the ${words[notice.data.deadline]} is due soon`;
    case 'status':
      return `${who} moved the ticket from ${words[notice.data.from]} to ${words[notice.data.to]}`;
    case 'organisation':
      return `the webhook ${oneLine(notice.data.name, 80)} was switched off: ${oneLine(notice.data.detail, 80)}`;
  }
}
