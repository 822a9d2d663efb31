import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { uuidText } from './uuid-text.js';

/** What names are made of. */
export interface NameParts {
  /** Only who holds it makes names that are taken for ours. */
  key: string;
  /** Where incoming mails are addressed to; undefined where none are taken. */
  inboundDomain: string | undefined;
  /** Whose mails are sent: message ids end with it. */
  senderDomain: string;
}
export const NAME_PARTS = Symbol('name parts');

/** The ticket that a mail is about. */
export interface Subject {
  orgId: string;
  ticketId: string;
  number: number;
}

/** What an address of ours says: the organisation, or the ticket alone where both would be too long for an address. */
export type Addressed = AddressedOrganisation | { ticketId: string };

export interface AddressedOrganisation {
  orgId: string;
  /** The ticket it was made for, if its proof is good for the ticket of that number. */
  ticket?: { number: number; proof: string };
  /** What stands behind the plus otherwise. */
  detail?: string;
}

const proofLength = 20;
/** What may stand before the at, octets (RFC 5321, 4.5.3.1.1). */
const longestLocal = 64;

/**
 * Names of mails and addresses that lead back to a ticket. Each carries a proof that nobody else can make: whoever has it was sent a mail of the ticket. Nothing is
 * stored for them, and they are the same whenever they are made.
 */
@Injectable()
export class MailNames {
  private readonly key: Buffer;

  constructor(@Inject(NAME_PARTS) private readonly parts: NameParts) {
    this.key = createHmac('sha256', parts.key).update('names of mails').digest();
  }

  /** `Message-ID` of a mail about a ticket; `name` tells it from the others. */
  messageId({ orgId, ticketId }: Pick<Subject, 'orgId' | 'ticketId'>, name: string): string {
    const local = `${ticketId.replaceAll('-', '')}.${this.proof('name', name).slice(0, 16)}`;
    return `<${local}.${this.proof('message', orgId, local)}@${this.parts.senderDomain}>`;
  }

  /** The ticket of the organisation that a message id of ours belongs to; undefined for any other. */
  ticketOf(orgId: string, messageId: string): string | undefined {
    const [, local, id, proof] = /^<?(([0-9a-f]{32})\.[0-9a-f]{16})\.([0-9a-f]+)@/i.exec(messageId.trim()) ?? [];
    if (local === undefined || !this.isProof(proof!, 'message', orgId, local.toLowerCase())) return undefined;
    return uuidText(id!.toLowerCase());
  }

  /** Where answers about a ticket go; undefined where no mails are taken. */
  replyAddress({ orgId, ticketId, number }: Subject): string | undefined {
    const { inboundDomain } = this.parts;
    if (inboundDomain === undefined) return undefined;
    const local = `${orgId}+${number}.${this.proof('address', orgId, ticketId)}`;
    return `${local.length > longestLocal ? this.shortLocal(ticketId) : local}@${inboundDomain}`;
  }

  /** Whether a proof of an address is the one of the ticket. */
  isProven(proof: string, { orgId, ticketId }: Pick<Subject, 'orgId' | 'ticketId'>): boolean {
    return this.isProof(proof, 'address', orgId, ticketId);
  }

  /** Reads an address of ours; undefined for any other. One that names a ticket alone is read only with its proof: nobody else finds out whose ticket that is. */
  read(address: string): Addressed | undefined {
    const [, hex, proof, domain] = /^t=([0-9a-f]{32})\.([0-9a-f]+)@([^@]+)$/i.exec(address) ?? [];
    if (hex === undefined) return this.readLong(address);
    const ticketId = uuidText(hex.toLowerCase());
    return this.isInbound(domain!) && this.isProof(proof!, 'short address', ticketId) ? { ticketId } : undefined;
  }

  private readLong(address: string): AddressedOrganisation | undefined {
    const [, orgId, detail = '', domain] = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\+([^@]*))?@([^@]+)$/.exec(address) ?? [];
    if (orgId === undefined || !this.isInbound(domain!)) return undefined;
    const [, number, proof] = /^(\d{1,15})\.([0-9a-f]+)$/i.exec(detail) ?? [];
    return number === undefined ? { orgId, ...(detail !== '' && { detail }) } : { orgId, ticket: { number: Number(number), proof: proof! } };
  }

  /** Whether mails from an address are our own. */
  isOwnAddress(address: string): boolean {
    return this.read(address) !== undefined;
  }

  /** No organisation's name has the sign. */
  private shortLocal(ticketId: string): string {
    return `t=${ticketId.replaceAll('-', '')}.${this.proof('short address', ticketId)}`;
  }

  private isInbound(domain: string): boolean {
    return domain.toLowerCase() === this.parts.inboundDomain?.toLowerCase();
  }

  private proof(...parts: string[]): string {
    return createHmac('sha256', this.key).update(JSON.stringify(parts)).digest('hex').slice(0, proofLength);
  }

  private isProof(given: string, ...parts: string[]): boolean {
    const wanted = Buffer.from(this.proof(...parts));
    const shown = Buffer.from(given.toLowerCase());
    return shown.length === wanted.length && timingSafeEqual(shown, wanted);
  }
}
