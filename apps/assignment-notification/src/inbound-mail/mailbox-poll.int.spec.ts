import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Metric } from 'prom-client';
import { maxInboundEmailBytes, type CommandData } from '#contracts';
import { Fault } from '#messaging';
import { freePort } from '#servers';
import { openMailServer, type MailServer } from '../../../../libs/servers/testing/mail-server.js';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { course } from '../../testing/course.js';
import { MailFolders } from '../../testing/mail-folders.js';
import { MailGate } from '../../testing/mail-gate.js';
import { eventRecord, member, Running } from '../../testing/running.js';
import type { Config } from '../config.js';
import { mailboxMails, mailboxTroubles } from '../metrics.js';
import { CorrespondentsConsumer } from '../replies/correspondents.consumer.js';
import { MailNames } from '../replies/mail-names.js';
import { ImapMailbox, MailboxTrouble } from './imap-mailbox.js';
import { InboundMail } from './inbound-mail.js';

const [orgId, password] = [`org-${randomUUID().slice(0, 8)}`, 'swordfish'];
const domain = 'in.deskstream.localhost';
let server: MailServer;
let gate: MailGate;
let folders: MailFolders;
let running: Running[];
let folder: string;
let database: string;

beforeAll(async () => {
  server = await openMailServer({ desk: password });
  gate = await MailGate.open(server, { port: await freePort() });
  folders = await MailFolders.open(server, 'desk', password);
});
afterAll(async () => {
  await folders?.close();
  await gate?.close();
  await server?.stop();
});
beforeEach(async () => {
  [running, folder, database] = [[], `Desk ${randomUUID().slice(0, 8)}`, `spec_mailbox_${randomUUID().slice(0, 8)}`];
  [gate.isSilent, gate.most, gate.connections] = [false, 0, 0];
  await folders.make(folder);
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const [i, one] of running.entries()) await one.stop({ keep: i < running.length - 1 });
});

/** An instance of the service that looks into the folder. */
async function begun(changes: Partial<Config> = {}): Promise<Running> {
  const imap = { IMAP_URL: `imaps://desk:${password}@${server.host}:${gate.port}`, IMAP_CA_FILE: server.caFile, IMAP_FOLDER: folder, IMAP_TAKEN_FOLDER: `${folder} taken`, IMAP_ASIDE_FOLDER: `${folder} aside` };
  const one = await Running.start(database, { ...imap, ...changes });
  running.push(one);
  await one.know({ ...member(orgId, 'ada'), orgId });
  return one;
}

const mail = (subject: string, headers: Record<string, string> = {}, text = 'Hello') => {
  const all = { 'Message-ID': `<${randomUUID()}@mail.example>`, From: `${randomUUID().slice(0, 8)}@example.org`, To: `${orgId}@${domain}`, Subject: subject, ...headers };
  return `${Object.entries(all).map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${text}\r\n`;
};
const lies = (expected: { waiting?: string[]; taken?: string[]; aside?: string[] }) =>
  eventually(async () => {
    // One after the other: they share a connection.
    const [waiting = [], taken = [], aside = []] = [await folders.subjects(folder), await folders.subjects(`${folder} taken`), await folders.subjects(`${folder} aside`)];
    expect({ waiting, taken, aside }).toEqual({ waiting: [], taken: [], aside: [], ...expected });
  }, 'mails lie where they should', 120_000);
/** Titles of the tickets that were opened, once for each command. */
const opened = (...all: readonly Running[]) => {
  const commands = new Map(all.flatMap(({ sent }) => sent.map(({ commandId, data }) => [commandId, data as unknown as CommandData<'ticket.create.v1'>])));
  return [...commands.values()].flatMap(({ title }) => (title === undefined ? [] : [title])).sort();
};
const counted = async (metric: Pick<Metric, 'get'>, label: string) => (await metric.get()).values.find(({ labels }) => Object.values(labels).includes(label))?.value ?? 0;

describe('a mailbox that is looked into', () => {
  it('is emptied: what can be taken is, as the other door takes it, and what cannot be is set aside by name', async () => {
    const names = ['opened', 'appended', 'ignored', 'unknown_recipient', 'no_sender', 'too_complex', 'too_large'];
    const before = await Promise.all(names.map((name) => counted(mailboxMails, name)));
    const ticket = course(orgId).created({ requester: { email: 'rita@example.org' } });
    const one = await begun({ IMAP_INTERVAL: 3_600 });
    await one.part(CorrespondentsConsumer).follow({ records: ticket.events.map(eventRecord), signal: new AbortController().signal });
    const rests = () => eventually(async () => (await one.db.collection('inbound_mailboxes').countDocuments({ restsUntil: { $gt: new Date() } })) === 1, 'it was looked into, and rests');
    await rests();
    const reply = { References: one.part(MailNames).messageId({ orgId, ticketId: ticket.id }, 'reply/1') };
    await folders.put(
      folder,
      mail('unknown', { To: `nobody-here@${domain}` }),
      mail('unsigned', { From: 'nobody' }),
      mail('nested', { 'Content-Type': 'multipart/mixed; boundary=b' }, '--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n'.repeat(200)),
      mail('larger', {}, 'x'.repeat(maxInboundEmailBytes)),
      mail('large', {}, `${'0123456789 '.repeat(6)}\r\n`.repeat((maxInboundEmailBytes - 1_000) / 68)),
      mail('away', { 'Auto-Submitted': 'auto-replied' }),
      mail('loop', { From: `${orgId}@${domain}` }),
      mail('answer', reply),
      mail('for a bot', { To: `${orgId}+no-bot@${domain}` }),
      mail('last'),
    );
    await one.db.collection('inbound_mailboxes').updateMany({}, { $set: { restsUntil: new Date(0) } });
    await lies({ taken: ['answer', 'away', 'for a bot', 'large', 'last', 'loop'], aside: ['larger', 'nested', 'unknown', 'unsigned'] });
    await rests(); // a mail is counted and forgotten once it has gone to its folder
    expect(opened(one)).toEqual(['for a bot', 'large', 'last']);
    expect(one.sent.find(({ ticketId }) => ticketId === ticket.id)?.data).toHaveProperty('messages');
    const after = await Promise.all(names.map((name) => counted(mailboxMails, name)));
    expect(after.map((count, i) => count - before[i]!)).toEqual([3, 1, 2, 1, 1, 1, 1]);
    expect(await one.db.collection('inbound_mailbox_tries').countDocuments()).toBe(0);
  });

  it('keeps a mail until it was taken: what comes in between has it taken again, as the same', async () => {
    const one = await begun();
    jest.spyOn(ImapMailbox.prototype, 'move').mockRejectedValueOnce(new MailboxTrouble('broken_off', 'cut'));
    one.trouble = new Fault('no broker');
    await folders.put(folder, mail('first'));
    await eventually(async () => expect(await one.db.collection('inbound_mailbox_tries').findOne({})).toMatchObject({ tries: 0, faults: 1 }), 'the broker was found missing');
    expect([await folders.subjects(folder), one.sent]).toEqual([['first'], []]);
    one.trouble = undefined;
    await lies({ taken: ['first'] });
    expect(one.sent.length).toBeGreaterThan(1);
    expect(opened(one)).toEqual(['first']);
    expect(new Set(one.sent.map(({ ticketId }) => ticketId)).size).toBe(1);
  });

  it('holds up nobody by a mail that always fails: it is set aside after three times', async () => {
    const one = await begun();
    const receive = InboundMail.prototype.receive;
    const begunWith = jest.spyOn(InboundMail.prototype, 'receive').mockImplementation(async function (this: InboundMail, raw) {
      if (raw.includes('Subject: bad')) throw new TypeError('it is bad');
      return receive.call(this, raw);
    });
    await folders.put(folder, mail('bad'), mail('good'));
    await lies({ waiting: ['bad'], taken: ['good'] });
    const tries = one.db.collection('inbound_mailbox_tries');
    for (const times of [2, 3]) {
      const { modifiedCount } = await tries.updateMany({ tries: times - 1, notBefore: { $gt: new Date() } }, { $set: { notBefore: new Date(0) } });
      expect(modifiedCount).toBe(1);
      await eventually(async () => expect(await tries.findOne({ notBefore: { $gt: new Date() } })).toMatchObject({ tries: times }), 'it has failed again');
    }
    await tries.updateMany({}, { $set: { notBefore: new Date(0) } });
    await lies({ taken: ['good'], aside: ['bad'] });
    expect(begunWith.mock.calls.filter(([raw]) => raw.includes('Subject: bad'))).toHaveLength(3);
  });

  it('lets a sender who sends without end wait, and takes what others send', async () => {
    const one = await begun();
    const before = await counted(mailboxMails, 'too_many');
    await folders.put(folder, ...Array.from({ length: 61 }, (_, i) => mail(`loop ${i}`, { From: 'loop@example.org' })), mail('other'));
    await eventually(async () => expect(await folders.subjects(`${folder} taken`)).toContain('other'), 'the other mail is taken');
    const waiting = (await folders.subjects(folder))!;
    const counts = (await one.db.collection<{ _id: string; count: number }>('inbound_rates').find({ _id: new RegExp(`^${orgId}/loop@example.org/`) }).toArray()).map(({ count }) => count);
    // As many as one time has are taken, or two or more where others began meanwhile.
    expect(waiting).toHaveLength(61 - counts.reduce((sum, count) => sum + Math.min(count, 30), 0));
    expect((await folders.subjects(`${folder} taken`))!.length + waiting.length).toBe(62);
    expect((await counted(mailboxMails, 'too_many')) - before).toBeGreaterThanOrEqual(waiting.length);
  });

  it('whose mails are numbered anew is taken anew: what a number meant before says nothing, and what comes again changes nothing', async () => {
    const one = await begun();
    const [first, again] = [mail('first', { From: 'rita@example.org' }), mail('again')];
    const receive = InboundMail.prototype.receive;
    const receiving = jest.spyOn(InboundMail.prototype, 'receive').mockImplementationOnce(async () => Promise.reject(new TypeError('it is bad')));
    await folders.put(folder, first);
    await eventually(async () => expect(await one.db.collection('inbound_mailbox_tries').findOne({ notBefore: { $gt: new Date() } })).toMatchObject({ uid: 1 }), 'it waits');
    receiving.mockImplementation(function (this: InboundMail, raw) {
      return receive.call(this, raw);
    });
    await folders.put(folder, again);
    await lies({ waiting: ['first'], taken: ['again'] });
    const validity = await folders.uidValidity(folder);
    await folders.replace(folder);
    expect(await folders.uidValidity(folder)).not.toBe(validity);
    await folders.put(folder, mail('new'), again);
    await lies({ taken: ['again', 'again', 'new'] });
    expect(opened(one)).toEqual(['again', 'new']);
  });

  it('is looked into by one of two instances, and by the other when that one stops', async () => {
    const [one, other] = [await begun(), await begun()];
    const some = Array.from({ length: 12 }, (_, i) => `mail ${String(i).padStart(2, '0')}`);
    await folders.put(folder, ...some.map((name) => mail(name)));
    await lies({ taken: some });
    expect(gate.most).toBe(1);
    expect(opened(one, other)).toEqual(some);
    expect(one.sent.length + other.sent.length).toBe(some.length);
    await one.stop({ keep: true });
    running = [other];
    await folders.put(folder, mail('more'));
    await lies({ taken: [...some, 'more'] });
  });

  it('that cannot be reached rests longer each time, and is looked into again when it can be', async () => {
    const before = await counted(mailboxTroubles, 'unreachable');
    const port = await gate.close();
    const one = await Running.start(database, { IMAP_URL: `imaps://desk:${password}@${server.host}:${port}`, IMAP_CA_FILE: server.caFile, IMAP_FOLDER: folder, IMAP_TAKEN_FOLDER: `${folder} taken` });
    running.push(one);
    await one.know({ ...member(orgId, 'ada'), orgId });
    const mailboxes = one.db.collection<{ strikes: number; restsUntil: Date }>('inbound_mailboxes');
    /** When it was to rest until, by strikes: between two of them lie all rests that came after the first. */
    const rests = new Map<number, number>();
    await eventually(async () => {
      const { strikes, restsUntil } = (await mailboxes.findOne({}))!;
      if (strikes > 0) rests.set(strikes, restsUntil.getTime());
      return strikes >= 4 && rests.size > 1;
    }, 'it was tried again and again');
    const [[, earlier], [strikes, later]] = [...rests].slice(-2) as [[number, number], [number, number]];
    expect(later - earlier).toBeGreaterThanOrEqual(100 * 2 ** (strikes - 1));
    expect(await counted(mailboxTroubles, 'unreachable')).toBeGreaterThanOrEqual(before + 4);
    await eventually(async () => gate.listen(port), 'nobody has its port meanwhile');
    await folders.put(folder, mail('late'));
    await lies({ taken: ['late'] });
    await eventually(async () => (await mailboxes.findOne({}))!.strikes === 0, 'the look is over, and has no strikes');
  });
});
