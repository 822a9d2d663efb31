import { Injectable, Logger } from '@nestjs/common';
import { v5 } from 'uuid';
import type { CommandData, CommandType, InboundEmailAnswer, TicketEvent } from '#contracts';
import { Fault, RecordProducer } from '#messaging';
import { commandRecord, commandText, type Sender } from '../commands.js';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import type { Mailbox } from '../mail/mail.js';
import { Correspondents, type Correspondent } from '../replies/correspondents.store.js';
import { MailNames, type Addressed, type AddressedOrganisation } from '../replies/mail-names.js';
import { automaticBy, isSameAddress, numberIn } from './inbound.policy.js';
import { InboundMails, type InboundMailRecord, type MailCommand } from './inbound-mails.store.js';
import { readMail, textOf, titleOf, type IncomingMail } from './mail.reader.js';

/** The namespace of mails and of all that becomes of them. */
const namespace = 'c1f5a5c8-5f0e-4d0a-9a43-0b2d6a0c9e55';

/** Who changes tickets by mail: what a mail's sender says of themselves is not proven. */
export const postman: Sender = { actor: { type: 'system', id: 'email', name: 'E-mail' }, access: { role: 'admin', assistantIds: [] }, channel: 'email' };

/** Why a mail is not taken. */
export class NotTaken extends Error {
  constructor(readonly code: 'unknown_recipient' | 'too_many') {
    super(code);
  }
}

/** Where a mail was sent to. */
interface Destination {
  orgId: string;
  people: People;
  /** What stands behind the plus of the address, where that says no ticket. */
  detail: string | undefined;
  /** The ticket that the address was made for. */
  shown: Correspondent | undefined;
  /** The number that it says, proven or not. */
  number: number | undefined;
}

/**
 * Makes of a mail what it is to a ticket: words in its conversation, or a ticket of its own. What was decided on a mail is stored before it is sent, under an id that
 * comes from its Message-ID and sender: the same mail again changes nothing. A mail whose ticket was closed before its words arrived opens another.
 */
@Injectable()
export class InboundMail {
  private readonly logger = new Logger('inbound mail');

  constructor(
    private readonly mails: InboundMails,
    private readonly correspondents: Correspondents,
    private readonly directory: DirectoryStore,
    private readonly names: MailNames,
    private readonly producer: RecordProducer,
  ) {}

  /** Takes a mail as it came, by whatever door. @throws UnreadableMail, NotTaken; StoreFault, Fault: it may come again */
  async receive(raw: Buffer): Promise<InboundEmailAnswer> {
    return this.take(await readMail(raw));
  }

  /** @throws NotTaken, StoreFault, Fault: it may come again */
  async take(mail: IncomingMail): Promise<InboundEmailAnswer> {
    const destination = await this.destination(mail.to);
    if (destination === undefined) throw new NotTaken('unknown_recipient');
    const { orgId } = destination;
    const reason = automaticBy(mail) ?? (this.isOwn(orgId, mail) ? 'own-mail' : undefined);
    if (reason !== undefined) return { outcome: 'ignored', reason };
    const id = v5(JSON.stringify([orgId, mail.messageId, mail.from.address.toLowerCase()]), namespace);
    const record = (await this.mails.find(orgId, id)) ?? (await this.decided(id, destination, mail));
    await this.send(record);
    // It may have been closed since it was looked at, and its event been seen before this was stored.
    const { outcome, ticketId } = await this.another(record);
    return { outcome, ticketId };
  }

  /** Sees the words of mails arrive: to be called before anybody can learn of closings that came behind them. @throws StoreFault, Fault */
  async arrived(events: readonly TicketEvent[]): Promise<void> {
    const carrying = events.filter(({ type }) => type === 'ticket.conversation-appended.v1' || type === 'ticket.created.v1');
    const ours = carrying.filter(({ actor }) => actor.id === postman.actor.id);
    await this.reopen(ours.filter(({ type, ticket }) => type === 'ticket.conversation-appended.v1' && ticket.status === 'resolved'));
    await this.mails.seen(ours.map(({ commandId }) => commandId));
  }

  /** Opens tickets for mails whose words came too late, once it is known that theirs are closed. @throws StoreFault, Fault */
  async settle(events: readonly TicketEvent[]): Promise<void> {
    const over = events.filter((event) => event.type === 'ticket.deleted.v1' || (event.type === 'ticket.status-changed.v1' && event.data.to === 'closed'));
    for (const record of await this.mails.underWay([...new Set(over.map(({ ticketId }) => ticketId))])) await (record.instead ? this.send(record) : this.another(record));
  }

  /** Mails whose words a ticket did not take, be it too large or closed, open another: whoever wrote them is told its number, and nothing is lost. @throws StoreFault, Fault */
  async refused(commandIds: readonly string[]): Promise<void> {
    for (const record of await this.mails.withWords(commandIds)) {
      if (record.outcome === 'appended') await this.openInstead(record, await this.correspondents.find(record.orgId, record.ticketId));
      else if (!commandIds.includes(record.commandId)) await this.send(record);
      else this.logger.error({ msg: 'the ticket of a mail was refused', orgId: record.orgId, mail: record._id, command: record.commandId });
    }
  }

  /** Words that arrived on a resolved ticket reopen it, whatever was known of it when they were sent: under an id that comes from the mail's, so once. */
  private async reopen(arrivals: readonly TicketEvent[]): Promise<void> {
    const ids = await this.mails.idsBy(arrivals.map(({ commandId }) => commandId));
    const records = arrivals.flatMap(({ orgId, ticketId, commandId, at }) => {
      const id = ids.get(commandId);
      if (id === undefined) return [];
      const { type, ...reopening } = reopeningBy(id, { orgId, ticketId, at: new Date(at) });
      return [commandRecord(type, { orgId, ticketId }, reopening)];
    });
    if (records.length > 0) await this.producer.send(records);
  }

  private async decided(id: string, destination: Destination, mail: IncomingMail): Promise<InboundMailRecord> {
    const { orgId, people, detail } = destination;
    if (!(await this.mails.mayCome(orgId, mail.from.address))) throw new NotTaken('too_many');
    const ticket = destination.shown ?? (await this.ticketOf(destination, mail));
    const base = { id, orgId, mail };
    if (ticket !== undefined && isOpen(ticket)) return this.mails.add(appended(base, ticket));
    const assistantId = ticket?.assistantId ?? assistantIn(people, detail);
    return this.mails.add(opened(base, { assistantId, before: ticket }));
  }

  /** What holds for a mail whose ticket takes no more words. */
  private async another(record: InboundMailRecord): Promise<InboundMailRecord> {
    const { orgId, ticketId, outcome, mail } = record;
    if (outcome !== 'appended' || mail === null) return record;
    const ticket = await this.correspondents.find(orgId, ticketId);
    return ticket === null || isOpen(ticket) ? record : this.openInstead(record, ticket);
  }

  private async openInstead(record: InboundMailRecord, before: Correspondent | null): Promise<InboundMailRecord> {
    const base = { id: record._id, orgId: record.orgId, mail: read(record.mail!) };
    const { ticketId, commandId } = record;
    const next = await this.mails.redecide(record, { ...opened(base, { assistantId: before?.assistantId ?? null, before: before ?? undefined }), instead: { ticketId, commandId } });
    await this.send(next);
    return next;
  }

  private async send({ orgId, ticketId, commands }: InboundMailRecord): Promise<void> {
    await this.producer.send(commands.map(({ type, ...command }) => commandRecord(type, { orgId, ticketId }, command)));
  }

  /** The first of ours whose organisation there is. */
  private async destination(to: readonly string[]): Promise<Destination | undefined> {
    for (const address of to) {
      const addressed = this.names.read(address);
      const destination = addressed && (await this.destinationOf(addressed));
      if (destination !== undefined) return destination;
    }
    return undefined;
  }

  private async destinationOf(addressed: Addressed): Promise<Destination | undefined> {
    if (!('ticketId' in addressed)) return this.within(addressed.orgId, addressed);
    const ticket = await this.correspondents.findProven(addressed.ticketId);
    // We have made its name, so there is such a ticket: its news is late.
    if (ticket === null) throw new Fault('the ticket of an address is not known yet');
    return this.within(ticket.orgId, { orgId: ticket.orgId }, ticket);
  }

  private async within(orgId: string, { ticket: named, detail }: AddressedOrganisation, proven?: Correspondent): Promise<Destination | undefined> {
    const people = await this.directory.people(orgId);
    if (people.members.size === 0) return undefined;
    const found = named && (await this.correspondents.findNumber(orgId, named.number));
    const shown = found && this.names.isProven(named.proof, { orgId, ticketId: found._id }) ? found : proven;
    return { orgId, people, detail, shown, number: named?.number };
  }

  private isOwn(orgId: string, { messageId, from }: IncomingMail): boolean {
    return this.names.isOwnAddress(from.address) || this.names.ticketOf(orgId, messageId) !== undefined;
  }

  /**
   * The ticket of the organisation that a mail is about, where its address does not prove it. Who shows what only a mail of ours can have told them is believed, whatever
   * address they write from; who only names a number must be the ticket's requester.
   */
  private async ticketOf({ orgId, number }: Destination, { from, subject, references }: IncomingMail): Promise<Correspondent | undefined> {
    const answered = await this.answered(orgId, references);
    if (answered !== undefined) return answered;
    const named = number ?? numberIn(subject);
    const numbered = named === undefined ? null : await this.correspondents.findNumber(orgId, named);
    return isOf(numbered, from) ? numbered : undefined;
  }

  private async answered(orgId: string, references: readonly string[]): Promise<Correspondent | undefined> {
    const ticketId = references.map((id) => this.names.ticketOf(orgId, id)).find((id) => id !== undefined);
    return ticketId === undefined ? undefined : ((await this.correspondents.find(orgId, ticketId)) ?? undefined);
  }
}

const assistantIn = ({ assistants }: People, name: string | undefined) => (name !== undefined && assistants.has(name) ? name : null);

const isOf = (ticket: Correspondent | null, { address }: Mailbox): ticket is Correspondent => ticket !== null && isSameAddress(ticket.requester?.email, address);

interface Base {
  /** The mail's. */
  id: string;
  orgId: string;
  mail: IncomingMail;
}

const isOpen = ({ status, isDeleted }: Correspondent) => status !== 'closed' && !isDeleted;

/** The words go first: nothing is reopened without them. Whoever works on it (pending) goes on. */
function appended({ id, orgId, mail }: Base, { _id: ticketId, status }: Correspondent): InboundMailRecord {
  const at = new Date();
  const { name, address } = mail.from;
  const message = { id, role: 'user' as const, content: textOf(mail), name: (name === '' ? address : `${name} <${address}>`).slice(0, 255).toWellFormed() };
  const named = { orgId, ticketId, at };
  const words = command('ticket.append-conversation.v1', { ...named, commandId: v5('append', id) }, { messages: [message] });
  const reopening = status === 'resolved' ? [reopeningBy(id, named)] : [];
  return { _id: id, orgId, messageId: mail.messageId, ticketId, outcome: 'appended', commands: [words, ...reopening], commandId: words.commandId, mail: written(mail), at };
}

const reopeningBy = (id: string, named: { orgId: string; ticketId: string; at: Date }) => command('ticket.change-status.v1', { ...named, commandId: v5('reopen', id) }, { to: 'open' });

/** A deleted ticket is followed up by none. */
function opened({ id, orgId, mail }: Base, { assistantId, before }: { assistantId: string | null; before: Correspondent | undefined }): InboundMailRecord {
  const at = new Date();
  const ticketId = v5('ticket', id);
  const { name, address: email } = mail.from;
  const data = { title: titleOf(mail), description: textOf(mail), assistantId, requester: { email, ...(name !== '' && { name }) }, ...(before && !before.isDeleted && { followUpOf: before._id }) };
  const words = command('ticket.create.v1', { orgId, ticketId, at, commandId: v5('create', id) }, data);
  return { _id: id, orgId, messageId: mail.messageId, ticketId, outcome: 'opened', commands: [words], commandId: words.commandId, mail: written(mail), at };
}

function command<T extends CommandType>(type: T, { orgId, ticketId, commandId, at }: { orgId: string; ticketId: string; commandId: string; at: Date }, data: CommandData<T>): MailCommand {
  return { type, commandId, at, command: commandText<T>(postman, { orgId, ticketId }, data) };
}

const written = (mail: IncomingMail) => JSON.stringify({ ...mail, headers: [] });
const read = (text: string): IncomingMail => ({ ...(JSON.parse(text) as IncomingMail), headers: new Map() });
