import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ImapFlow } from 'imapflow';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { openMailServer, type MailServer } from '../../../../libs/servers/testing/mail-server.js';
import { MailFolders } from '../../testing/mail-folders.js';
import { MailGate } from '../../testing/mail-gate.js';
import type { ImapSettings } from './imap-config.js';
import { ImapMailbox } from './imap-mailbox.js';

const password = 'swordfish';
let server: MailServer;
let gate: MailGate;
let folders: MailFolders;

beforeAll(async () => {
  server = await openMailServer({ desk: password });
  gate = await MailGate.open(server);
  folders = await MailFolders.open(server, 'desk', password);
});
afterAll(async () => {
  await folders?.close();
  await gate?.close();
  await server?.stop();
});

let visits: ImapMailbox[] = [];
afterEach(async () => {
  [gate.isSilent, gate.hidden, gate.asked] = [false, [], []];
  await Promise.all(visits.map((one) => one.close()));
  visits = [];
  jest.restoreAllMocks();
});

const settings = (changes: Partial<ImapSettings> = {}): ImapSettings => {
  const folder = { folder: 'INBOX', takenFolder: 'Taken', asideFolder: 'Set aside', intervalMs: 1_000 };
  return { host: server.host, port: gate.port, isSecure: true, user: 'desk', password, ...folder, caFile: server.caFile, patience: { connect: 30_000, word: 30_000, mail: 30_000 }, ...changes };
};
const visit = async (changes: Partial<ImapSettings> = {}, signal = new AbortController().signal) => {
  const mailbox = await ImapMailbox.open(settings(changes), { mostBytes: 1_000, signal });
  visits.push(mailbox);
  return mailbox;
};
const mail = (subject: string, text = 'Hello') => `Subject: ${subject}\r\nFrom: rita@example.org\r\n\r\n${text}\r\n`;

describe('a mailbox', () => {
  it.each<[string, Partial<ImapSettings>, object]>([
    ['a wrong password', { password: 'guessed-1' }, { reason: 'sign_in_refused' }],
    ['nobody listening', { port: 9 }, { reason: 'unreachable' }],
    ['a server that nobody vouches for', { caFile: undefined }, { reason: 'unreachable' }],
    ['no such folder', { folder: 'Nowhere' }, { reason: 'folder_missing' }],
  ])('is not opened by %s', async (_, changes, trouble) => {
    await expect(visit(changes)).rejects.toMatchObject(trouble);
    await expect(visit(changes)).rejects.toThrow(expect.not.stringMatching(/swordfish|guessed-1/));
  });

  it('is told no password where the server offers no encryption', async () => {
    const plain = await MailGate.open(server, { isPlain: true });
    await expect(visit({ port: plain.port, isSecure: false })).rejects.toMatchObject({ reason: 'broken_off' });
    expect(plain.asked.join()).toMatch(/CAPABILITY/);
    expect(plain.asked.join()).not.toMatch(/LOGIN|AUTHENTICATE|swordfish/);
    await plain.close();
  });

  it('that says nothing is given up in time, before and after it let us in', async () => {
    const patience = { connect: 300, word: 300, mail: 300 };
    gate.isSilent = true;
    await eventually(() => expect(visit({ patience })).rejects.toMatchObject({ reason: 'silent' }), 'it is reached in time, and says nothing');
    gate.isSilent = false;
    const mailbox = await eventually(() => visit({ patience: { connect: 5_000, word: 1_000, mail: 1_000 } }), 'it lets us in in time');
    gate.isSilent = true;
    await expect(mailbox.waiting()).rejects.toMatchObject({ reason: 'silent' });
  });

  it('is left at once when the visit is to end', async () => {
    const ending = new AbortController();
    const mailbox = await visit({}, ending.signal);
    gate.isSilent = true;
    const asked = mailbox.waiting();
    ending.abort();
    await expect(asked).rejects.toMatchObject({ reason: 'broken_off' });
  });

  it.each([['moves', []], ['can only copy', ['MOVE']]])('of a server that %s gives mails to folders that it makes', async (name, hidden) => {
    gate.hidden = hidden;
    const [folder, to] = [`From ${name}`, `To ${name}`];
    await folders.make(folder);
    await folders.put(folder, mail('one'), mail('two'), mail('three', 'x'.repeat(2_000)));
    const mailbox = await visit({ folder });
    const uids = await mailbox.waiting();
    expect(uids).toHaveLength(3);
    expect(String(await mailbox.read(uids[1]!, 1_000))).toBe(mail('two'));
    expect(await mailbox.read(uids[2]!, 1_000)).toBe('too_large');
    expect(await mailbox.read(uids[2]! + 1, 1_000)).toBeUndefined();
    await mailbox.move(uids[1]!, to);
    await mailbox.move(uids[2]!, to);
    expect(await mailbox.waiting()).toEqual([uids[0]]);
    expect([await folders.subjects(folder), await folders.subjects(to)]).toEqual([['one'], ['three', 'two']]);
    expect(gate.asked.some((line) => line.includes('UID MOVE'))).toBe(hidden.length === 0);
    expect(gate.asked.join()).not.toContain('BODY[]');
  });

  it('keeps a mail that could not be copied', async () => {
    gate.hidden = ['MOVE'];
    await folders.make('Kept');
    await folders.put('Kept', mail('one'));
    const mailbox = await visit({ folder: 'Kept' });
    jest.spyOn(ImapFlow.prototype, 'messageCopy').mockResolvedValue(false);
    await expect(mailbox.move((await mailbox.waiting())[0]!, 'Elsewhere')).rejects.toMatchObject({ reason: 'move_refused' });
    expect(await mailbox.waiting()).toHaveLength(1);
  });
});
