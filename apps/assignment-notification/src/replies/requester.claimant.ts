import { Injectable } from '@nestjs/common';
import type { RequesterUpdates, TicketEvent } from '#contracts';
import type { Claimant } from '../deliveries/claims.consumer.js';
import type { Claim } from '../deliveries/delivery.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { InboundMails } from '../inbound-mail/inbound-mails.store.js';
import type { Mail } from '../mail/mail.js';
import { isMachine, letterOf, type Letter } from './letters.policy.js';
import { MailNames } from './mail-names.js';
import { Threads, referencesFor, type ThreadMail } from './threads.store.js';
import { UpdateBook } from './update-book.store.js';

/** A mail as it is claimed; nobody to send it to may be known, and become known before it is sent again. */
export type RequesterMail = Omit<Mail, 'to'> & { to: Mail['to'] | null };

/** Of whom the requesters of an organisation hear. */
export const requesterTarget = (orgId: string): string => `requester:${orgId}`;

/** The claim of a reply. */
export const replyClaim = (ticketId: string, commentId: string): string => `requester/${ticketId}/reply/${commentId}`;

/** What came in and became an event stands in its thread before what we say to that event. */
const before = 0.5;

interface Written {
  event: TicketEvent;
  letter: Letter;
  messageId: string;
}

/** Claims what requesters are to hear: replies, and updates on their ticket. */
@Injectable()
export class RequesterClaimant implements Claimant {
  constructor(
    private readonly names: MailNames,
    private readonly threads: Threads,
    private readonly book: UpdateBook,
    private readonly directory: DirectoryStore,
    private readonly inbound: InboundMails,
  ) {}

  async claims(events: readonly TicketEvent[]): Promise<Claim[]> {
    const written = await this.written(events);
    await this.threads.note(grouped([...(await this.came(events)), ...written.map(({ event, messageId }) => ({ event, seq: event.version, messageId }))]));
    const threads = await this.threads.of([...new Set(written.map(({ event }) => event.ticketId))]);
    return written.map((one) => this.claim(one, threads.get(one.event.ticketId) ?? []));
  }

  private async written(events: readonly TicketEvent[]): Promise<Written[]> {
    const orgs = new Set(events.filter(({ type }) => mayTell.has(type)).map(({ orgId }) => orgId));
    const settings = new Map(await Promise.all([...orgs].map(async (orgId) => [orgId, await this.settings(orgId)] as const)));
    return events.flatMap((event) => {
      const known = settings.get(event.orgId);
      const letter = known && letterOf(event, known(event.ticket.assistantId));
      return letter && isWelcome(event, letter) ? [{ event, letter, messageId: this.names.messageId(event, letter.name) }] : [];
    });
  }

  private async settings(orgId: string) {
    const [rules, { assistants }] = await Promise.all([this.book.rules(orgId), this.directory.people(orgId)]);
    const byId = new Map<string | null, RequesterUpdates>(rules.map((one) => [one.id, one]));
    return (id: string | null) => ({ updates: byId.get(id), assistant: (id !== null && assistants.get(id)?.name) || '' });
  }

  /** Mails of requesters that became these events. */
  private async came(events: readonly TicketEvent[]) {
    const some = events.filter(({ type, ticket }) => type === 'ticket.conversation-appended.v1' || (type === 'ticket.created.v1' && ticket.channel === 'email'));
    const mails = await this.inbound.byCommand(some.map(({ commandId }) => commandId));
    return some.flatMap((event) => (mails.has(event.commandId) ? [{ event, seq: event.version - before, messageId: mails.get(event.commandId)! }] : []));
  }

  private claim({ event, letter, messageId }: Written, thread: readonly ThreadMail[]): Claim {
    const { orgId, ticketId, version: seq, ticket } = event;
    const references = referencesFor(thread, seq);
    const reply = this.names.replyAddress({ orgId, ticketId, number: ticket.number });
    const mail: RequesterMail = {
      to: mailboxOf(ticket.requester),
      ...(reply !== undefined && { replyTo: { name: '', address: reply } }),
      subject: `${references.length > 0 ? 'Re: ' : ''}${ticket.title} [#${ticket.number}]`,
      text: letter.text,
      messageId,
      ...(references.length > 0 && { references, inReplyTo: references.at(-1)! }),
      // Whoever answers by a program is asked not to (RFC 3834, and what Exchange heeds).
      headers: { ...(letter.kind !== 'reply' && { 'Auto-Submitted': 'auto-generated' }), 'X-Auto-Response-Suppress': 'All' },
    };
    const about = { kind: letter.kind, ticketId, ...(letter.commentId !== undefined && { commentId: letter.commentId }) };
    return { id: `requester/${ticketId}/${letter.name}`, orgId, target: requesterTarget(orgId), queue: ticketId, seq, content: JSON.stringify(mail), about };
  }
}

const mayTell = new Set<TicketEvent['type']>(['ticket.comment-added.v1', 'ticket.created.v1', 'ticket.status-changed.v1']);

/** A reply is claimed even where nobody can be reached: its author is to know. */
const isWelcome = ({ ticket: { requester } }: TicketEvent, { kind }: Letter) => kind === 'reply' || (requester?.email !== undefined && !isMachine(requester.email));

/** Where somebody is reached; null where that is not known. */
export const mailboxOf = (requester: { name?: string | undefined; email?: string | undefined } | null): Mail['to'] | null =>
  requester?.email === undefined ? null : { name: requester.name ?? '', address: requester.email };

function grouped(mails: readonly ({ event: TicketEvent } & ThreadMail)[]): Map<string, ThreadMail[]> {
  const byTicket = Map.groupBy(mails, ({ event }) => event.ticketId);
  return new Map([...byTicket].map(([id, some]) => [id, some.map(({ seq, messageId }) => ({ seq, messageId }))]));
}
