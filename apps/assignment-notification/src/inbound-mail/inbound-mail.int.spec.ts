import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { resultType, topics, type CommandData, type CommandResult } from '#contracts';
import { Fault, toHeaders, type IncomingRecord } from '#messaging';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { Course, course } from '../../testing/course.js';
import { eventRecord, member, recordOf, Running } from '../../testing/running.js';
import { CorrespondentsConsumer } from '../replies/correspondents.consumer.js';
import { Correspondents } from '../replies/correspondents.store.js';
import { MailNames } from '../replies/mail-names.js';
import { InboundMail } from './inbound-mail.js';
import { MailResultsConsumer } from './mail-results.consumer.js';
import type { IncomingMail } from './mail.reader.js';

let running: Running;
let orgId: string;

beforeAll(async () => {
  running = await Running.start();
  orgId = `org-${randomUUID().slice(0, 8)}`;
  await running.know({ ...member(orgId, 'ada'), orgId });
});
afterAll(() => running?.stop());

const rita = 'rita@example.org';
const follow = (ticket: Course, from = 0) => running.part(CorrespondentsConsumer).follow({ records: ticket.events.slice(from).map(eventRecord), signal: new AbortController().signal });
const take = (mail: IncomingMail) => running.part(InboundMail).take(mail);
const ticketOf = (changes: Parameters<Course['created']>[0] = {}) => course(orgId).created({ requester: { email: rita }, ...changes });
const answerTo = ({ id: ticketId }: Course): IncomingMail => ({
  messageId: `${randomUUID()}@mail.example`,
  from: { name: '', address: rita },
  to: [`${orgId}@in.deskstream.localhost`],
  subject: 'Re',
  text: 'words',
  attachments: ['a.pdf'],
  references: [running.part(MailNames).messageId({ orgId, ticketId }, 'reply/1')],
  headers: new Map(),
});
/** The ticket after the words of a mail have arrived on it by a command. */
const arrived = (ticket: Course, commandId: string) => {
  const said = ticket.said();
  Object.assign(said.events.at(-1)!, { commandId, actor: { type: 'system', id: 'email', name: 'E-mail' } });
  return said;
};
const typesSince = (begin: number) => running.sent.slice(begin).map(({ ticketId, data }) => [ticketId, Object.keys(data)[0]]);

describe('a mail', () => {
  it('that comes again sends the same commands, whatever became of its ticket meanwhile', async () => {
    const ticket = ticketOf();
    await follow(ticket.moved('pending').moved('resolved'));
    const mail = answerTo(ticket);
    const begin = running.sent.length;
    expect(await take(mail)).toEqual({ outcome: 'appended', ticketId: ticket.id });
    const first = running.sent.slice(begin);
    expect(typesSince(begin)).toEqual([[ticket.id, 'messages'], [ticket.id, 'to']]);
    expect((first[0]!.data as unknown as CommandData<'ticket.append-conversation.v1'>).messages).toMatchObject([{ role: 'user', content: 'words\n\n[Attachments, not kept: a.pdf]', name: rita }]);
    expect(await take(mail)).toEqual({ outcome: 'appended', ticketId: ticket.id });
    expect(running.sent.slice(begin + 2)).toEqual(first);
  });

  it('whose ticket is closed before its words arrive opens one that follows up, once', async () => {
    const ticket = ticketOf({ assistantId: 'billing-bot' });
    await follow(ticket);
    const mail = answerTo(ticket);
    await take(mail);
    const begin = running.sent.length;
    const closed = ticket.moved('pending').moved('resolved').moved('closed');
    await follow(closed, 1);
    await follow(closed, 1);
    const opened = running.sent.slice(begin);
    expect(new Set(opened.map(({ commandId }) => commandId)).size).toBe(1);
    expect(opened[0]!.data).toMatchObject({ followUpOf: ticket.id, assistantId: 'billing-bot', requester: { email: rita } });
    expect(await take(mail)).toEqual({ outcome: 'opened', ticketId: opened[0]!.ticketId });
  });

  it('opens another ticket also where this process dies when that is decided and not sent', async () => {
    const ticket = ticketOf();
    await follow(ticket);
    const mail = answerTo(ticket);
    await take(mail);
    const begin = running.sent.length;
    const closed = ticket.moved('pending').moved('resolved').moved('closed');
    running.trouble = new Fault('died');
    await expect(follow(closed, 1)).rejects.toThrow('died');
    running.trouble = undefined;
    expect(running.sent).toHaveLength(begin);
    await follow(closed, 1);
    const [opened] = running.sent.slice(begin);
    expect(opened!.data).toMatchObject({ description: expect.stringContaining('words'), followUpOf: ticket.id });
    await follow(arrived(Course.begin(orgId, opened!.ticketId).created(), opened!.commandId));
    await follow(closed, 1);
    expect(running.sent.slice(begin)).toHaveLength(1);
  });

  it('whose words arrived stays where it is when its ticket is closed', async () => {
    const ticket = ticketOf();
    await follow(ticket);
    await take(answerTo(ticket));
    const { commandId } = running.sent.at(-1)!;
    const said = arrived(ticket, commandId);
    await follow(said, 1);
    const begin = running.sent.length;
    await follow(said.moved('resolved').moved('closed'), 2);
    expect(typesSince(begin)).toEqual([]);
  });

  it('whose words arrived opens no other where this process dies as it learns that its ticket was closed', async () => {
    const ticket = ticketOf();
    await follow(ticket);
    const mail = answerTo(ticket);
    await take(mail);
    const { commandId } = running.sent.at(-1)!;
    const closed = arrived(ticket, commandId).moved('resolved').moved('closed');
    const correspondents = running.part(Correspondents);
    const stored = correspondents.follow.bind(correspondents);
    const following = jest.spyOn(correspondents, 'follow').mockImplementationOnce(async (events) => {
      await stored(events);
      throw new Fault('died');
    });
    await expect(follow(closed, 1)).rejects.toThrow('died');
    following.mockRestore();
    expect(await take(mail)).toEqual({ outcome: 'appended', ticketId: ticket.id });
  });

  it('reopens a ticket that was resolved before its words arrived, once', async () => {
    const ticket = ticketOf();
    await follow(ticket);
    await take(answerTo(ticket));
    const { commandId } = running.sent.at(-1)!;
    const begin = running.sent.length;
    const said = arrived(ticket.moved('resolved'), commandId);
    await follow(said, 1);
    await follow(said, 1);
    const reopening = running.sent.slice(begin);
    expect(typesSince(begin)).toEqual([[ticket.id, 'to'], [ticket.id, 'to']]);
    expect(reopening[0]).toEqual(reopening[1]);
    expect(reopening[0]!.data).toEqual({ to: 'open' });
  });

  it('that its ticket refuses opens another, once, and never for a result that is not its own', async () => {
    const ticket = ticketOf({ assistantId: 'billing-bot' });
    await follow(ticket);
    const [mail, other] = [answerTo(ticket), answerTo(ticket)];
    await take(mail);
    const { commandId } = running.sent.at(-1)!;
    await take(other);
    const result = (changes: Partial<CommandResult> = {}) => {
      const value = { commandId, orgId, ticketId: ticket.id, actor: { type: 'system', id: 'email', name: 'E-mail' }, payloadHash: 'x', outcome: 'rejected', problem: { type: '/problems/ticket-too-large', title: 'Too large', status: 422, detail: 'A ticket holds at most 10,000 messages.', instance: '/x', requestId: 'one' }, ...changes };
      return recordOf(topics.results, { key: value.commandId, value, headers: toHeaders({ id: randomUUID(), type: resultType, source: '/ticket-command', subject: ticket.id, time: new Date().toISOString(), orgId }) });
    };
    const hear = (...records: IncomingRecord[]) => running.part(MailResultsConsumer).hear({ records, signal: new AbortController().signal });
    const begin = running.sent.length;
    expect(await hear(result({ outcome: 'applied' }), result({ actor: { type: 'member', id: 'email', name: 'Eve' } }), result({ commandId: randomUUID() }))).toEqual([]);
    expect(running.sent).toHaveLength(begin);
    running.trouble = new Fault('died');
    await expect(hear(result())).rejects.toThrow('died');
    running.trouble = undefined;
    expect(running.sent).toHaveLength(begin);
    expect([...(await hear(result(), result())), ...(await hear(result()))]).toEqual([]);
    const opened = running.sent.slice(begin);
    expect(new Set(opened.map((one) => one.commandId)).size).toBe(1);
    expect(opened[0]!.data).toMatchObject({ description: 'words\n\n[Attachments, not kept: a.pdf]', followUpOf: ticket.id, assistantId: 'billing-bot', requester: { email: rita } });
    expect(await take(mail)).toEqual({ outcome: 'opened', ticketId: opened[0]!.ticketId });
    expect(await take(other)).toEqual({ outcome: 'appended', ticketId: ticket.id });
  });

  it('about a deleted ticket opens one that follows up none', async () => {
    const ticket = ticketOf();
    await follow(ticket.deleted());
    expect((await take(answerTo(ticket))).outcome).toBe('opened');
    expect(running.sent.at(-1)!.data).not.toHaveProperty('followUpOf');
  });

  it('that could not be told to the broker is told when it comes again', async () => {
    const ticket = ticketOf();
    await follow(ticket);
    const mail = answerTo(ticket);
    running.trouble = new Fault('no broker');
    await expect(take(mail)).rejects.toThrow(Fault);
    running.trouble = undefined;
    expect(await take(mail)).toEqual({ outcome: 'appended', ticketId: ticket.id });
    expect(running.sent.at(-1)!.ticketId).toBe(ticket.id);
  });

  it('to an address that says its ticket alone finds it, from whoever has the address, and waits until the ticket is known', async () => {
    const ticket = ticketOf();
    const long = running.part(MailNames).replyAddress({ orgId: 'o'.repeat(64), ticketId: ticket.id, number: 1 })!;
    const mail = { ...answerTo(ticket), references: [], to: [long], from: { name: '', address: 'other@example.org' } };
    await expect(take(mail)).rejects.toThrow(Fault);
    await follow(ticket);
    expect(await take(mail)).toEqual({ outcome: 'appended', ticketId: ticket.id });
    await expect(take({ ...mail, to: [long.replace(/\.[0-9a-f]+@/, '.00000000000000000000@')] })).rejects.toMatchObject({ code: 'unknown_recipient' });
  });

  it('of a sender who sends without end waits', async () => {
    const ticket = ticketOf({ requester: { email: 'loop@example.org' } });
    await follow(ticket);
    const send = () => take({ ...answerTo(ticket), from: { name: '', address: 'Loop@example.org' } });
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, send));
    const counts = (await running.db.collection<{ _id: string; count: number }>('inbound_rates').find({ _id: new RegExp(`^${orgId}/loop@example.org/`) }).toArray()).map(({ count }) => count);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40);
    // As many as one time has, or two where the second began meanwhile.
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(counts.reduce((sum, count) => sum + Math.min(count, 30), 0));
    await eventually(() => expect(send()).rejects.toMatchObject({ code: 'too_many' }), 'they wait');
    expect((await take(answerTo(ticket))).outcome).toBe('appended');
  });
});
