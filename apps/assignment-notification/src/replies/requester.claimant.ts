import { Injectable } from '@nestjs/common';
import { v5 } from 'uuid';
import type { RequesterMessage, RequesterUpdates, TicketEvent } from '#contracts';
import type { Claimant } from '../deliveries/claims.consumer.js';
import type { Claim } from '../deliveries/delivery.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { InboundMails } from '../inbound-mail/inbound-mails.store.js';
import type { Mail } from '../mail/mail.js';
import { DeliveryBook } from './delivery-book.store.js';
import { isMachine, letterOf, type Letter } from './letters.policy.js';
import { MailNames } from './mail-names.js';
import { Threads, referencesFor, type ThreadMail } from './threads.store.js';
import { UpdateBook } from './update-book.store.js';

/** A mail as it is claimed; nobody to send it to may be known, and become known before it is sent again. */
export type RequesterMail = Omit<Mail, 'to'> & { to: Mail['to'] | null };

/** What is claimed: a mail, or a message for the assistant that the requester talks with. */
export type Content = { way: 'email'; mail: RequesterMail } | { way: 'assistant'; assistantId: string; message: RequesterMessage };

/** What the requesters of an organisation are reached by: its mails, and each of its assistants, which concern each other in nothing. */
export const requesterTarget = (orgId: string, assistantId?: string): string => `requester:${orgId}${assistantId === undefined ? '' : `/${assistantId}`}`;

/** The claim of a reply. */
export const replyClaim = (ticketId: string, commentId: string): string => `requester/${ticketId}/reply/${commentId}`;

/** What came in and became an event stands in its thread before what we say to that event. */
const before = 0.5;

/** Of the ids of messages. */
const namespace = '7c1d7f0e-92f4-4b0f-8d5b-3f6f0c2f1a11';

interface Written {
  event: TicketEvent;
  letter: Letter;
  messageId: string;
  /** The assistant that takes it to the requester; undefined where a mail does. */
  through: string | undefined;
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
    private readonly deliveries: DeliveryBook,
  ) {}

  async claims(events: readonly TicketEvent[]): Promise<Claim[]> {
    const written = await this.written(events);
    await this.threads.note(grouped([...(await this.came(events)), ...written.filter(({ through }) => through === undefined).map(({ event, messageId }) => ({ event, seq: event.version, messageId }))]));
    const threads = await this.threads.of([...new Set(written.map(({ event }) => event.ticketId))]);
    return written.map((one) => claimOf(one, one.through === undefined ? { way: 'email', mail: this.mail(one, threads.get(one.event.ticketId) ?? []) } : { way: 'assistant', assistantId: one.through, message: messageOf(one, one.through) }));
  }

  private async written(events: readonly TicketEvent[]): Promise<Written[]> {
    const orgs = new Set(events.filter(({ type }) => mayTell.has(type)).map(({ orgId }) => orgId));
    const settings = new Map(await Promise.all([...orgs].map(async (orgId) => [orgId, await this.settings(orgId)] as const)));
    return events.flatMap((event) => {
      const known = settings.get(event.orgId);
      const letter = known && letterOf(event, known.of(event.ticket.assistantId));
      if (!known || !letter) return [];
      const through = assistantFor(event, known.delivering);
      return through !== undefined || isWelcome(event, letter) ? [{ event, letter, messageId: this.names.messageId(event, letter.name), through }] : [];
    });
  }

  private async settings(orgId: string) {
    const [rules, { assistants }, deliveries] = await Promise.all([this.book.rules(orgId), this.directory.people(orgId), this.deliveries.rules(orgId)]);
    const byId = new Map<string | null, RequesterUpdates>(rules.map((one) => [one.id, one]));
    const of = (id: string | null) => ({ updates: byId.get(id), assistant: (id !== null && assistants.get(id)?.name) || '' });
    return { of, delivering: new Set(deliveries.map(({ id }) => id)) };
  }

  /** Mails of requesters that became these events. */
  private async came(events: readonly TicketEvent[]) {
    const some = events.filter(({ type, ticket }) => type === 'ticket.conversation-appended.v1' || (type === 'ticket.created.v1' && ticket.channel === 'email'));
    const mails = await this.inbound.byCommand(some.map(({ commandId }) => commandId));
    return some.flatMap((event) => (mails.has(event.commandId) ? [{ event, seq: event.version - before, messageId: mails.get(event.commandId)! }] : []));
  }

  private mail({ event, letter, messageId }: Written, thread: readonly ThreadMail[]): RequesterMail {
    const { orgId, ticketId, version: seq, ticket } = event;
    const references = referencesFor(thread, seq);
    const reply = this.names.replyAddress({ orgId, ticketId, number: ticket.number });
    return {
      to: mailboxOf(ticket.requester),
      ...(reply !== undefined && { replyTo: { name: '', address: reply } }),
      subject: `${references.length > 0 ? 'Re: ' : ''}${ticket.title} [#${ticket.number}]`,
      text: letter.text,
      messageId,
      ...(references.length > 0 && { references, inReplyTo: references.at(-1)! }),
      // Whoever answers by a program is asked not to (RFC 3834, and what Exchange heeds).
      headers: { ...(letter.kind !== 'reply' && { 'Auto-Submitted': 'auto-generated' }), 'X-Auto-Response-Suppress': 'All' },
    };
  }
}

const claimIdOf = ({ event, letter }: Written) => `requester/${event.ticketId}/${letter.name}`;

function claimOf(written: Written, content: Content): Claim {
  const { event: { orgId, ticketId, version: seq }, letter, through } = written;
  const about = { kind: letter.kind, ticketId, ...(letter.commentId !== undefined && { commentId: letter.commentId }) };
  return { id: claimIdOf(written), orgId, target: requesterTarget(orgId, through), queue: ticketId, seq, content: JSON.stringify(content), about };
}

function messageOf(written: Written, assistantId: string): RequesterMessage {
  const { event: { orgId, ticketId, at, ticket: { number, externalId, requester } }, letter: { kind, text, commentId } } = written;
  return { type: 'requester.message', id: v5(claimIdOf(written), namespace), at, orgId, ticketId, number, externalId, assistantId, requester, kind, text, ...(commentId !== undefined && { commentId }) };
}

/** A ticket that its agent opened came from a conversation: there its requester reads. Elsewhere the assistant is asked only where no mail reaches them. */
function assistantFor({ ticket: { assistantId, channel, requester } }: TicketEvent, delivering: ReadonlySet<string>): string | undefined {
  if (assistantId === null || !delivering.has(assistantId)) return undefined;
  return channel === 'agent' || channel === 'mcp' || requester?.email === undefined ? assistantId : undefined;
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
