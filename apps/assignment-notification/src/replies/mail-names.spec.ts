import { describe, expect, it } from '@jest/globals';
import { MailNames, type AddressedOrganisation } from './mail-names.js';

const names = new MailNames({ key: 'a key', inboundDomain: 'in.example', senderDomain: 'acme.example' });
const ticket = { orgId: 'acme', ticketId: '4f5b6d1e-6d5e-4b41-9f0e-6d6a6b1f7a35', number: 1042 };

describe('names of mails', () => {
  it('lead back to their ticket, in its organisation only, and are the same whenever they are made', () => {
    const id = names.messageId(ticket, 'reply/1');
    expect(names.messageId(ticket, 'reply/1')).toBe(id);
    expect(names.messageId(ticket, 'reply/2')).not.toBe(id);
    expect([names.ticketOf('acme', id), names.ticketOf('acme', id.toUpperCase()), names.ticketOf('globex', id)]).toEqual([ticket.ticketId, ticket.ticketId, undefined]);
    expect(new MailNames({ key: 'another', inboundDomain: undefined, senderDomain: 'acme.example' }).ticketOf('acme', id)).toBeUndefined();
  });

  it('cannot be made by who knows a ticket, nor changed', () => {
    const id = names.messageId(ticket, 'reply/1');
    for (const forged of [id.replace(/\.[0-9a-f]+@/, '.00000000000000000000@'), id.replace(/^<./, id[1] === '0' ? '<1' : '<0'), `<${ticket.ticketId}@acme.example>`, '', '<@>']) expect(names.ticketOf('acme', forged)).toBeUndefined();
  });
});

describe('addresses', () => {
  it('say the organisation, and the ticket with its proof', () => {
    const address = names.replyAddress(ticket)!;
    const read = names.read(address) as AddressedOrganisation;
    expect(read).toEqual({ orgId: 'acme', ticket: { number: 1042, proof: expect.any(String) } });
    expect([names.isProven(read.ticket!.proof, ticket), names.isProven(read.ticket!.proof, { ...ticket, orgId: 'globex' }), names.isProven('00', ticket)]).toEqual([true, false, false]);
    expect(names.read('acme+billing-bot@IN.example')).toEqual({ orgId: 'acme', detail: 'billing-bot' });
    expect(names.read('acme@in.example')).toEqual({ orgId: 'acme' });
    for (const other of ['acme@elsewhere.example', '@in.example', 'a b@in.example', 'acme@in.example@x', '']) expect(names.read(other)).toBeUndefined();
  });

  it('are no longer than mail servers take, whatever the organisation is called, and lead to the ticket by its proof alone', () => {
    const long = { ...ticket, orgId: 'o'.repeat(64), number: 999_999_999_999_999 };
    const address = names.replyAddress(long)!;
    expect(address.indexOf('@')).toBeLessThanOrEqual(64);
    expect([names.read(address), names.read(address.toUpperCase())]).toEqual([{ ticketId: ticket.ticketId }, { ticketId: ticket.ticketId }]);
    const proof = /\.([0-9a-f]+)@/.exec(address)![1]!;
    for (const forged of [address.replace(proof, '0'.repeat(20)), address.replace(proof, ''), address.replace('t=4', 't=5'), address.replace('in.example', 'elsewhere.example')]) expect(names.read(forged)).toBeUndefined();
    const longest = `${'o'.repeat(64)}+999999999999999.00112233445566778899@in.example`;
    expect(names.read(longest)).toEqual({ orgId: 'o'.repeat(64), ticket: { number: 999_999_999_999_999, proof: '00112233445566778899' } });
  });
});
