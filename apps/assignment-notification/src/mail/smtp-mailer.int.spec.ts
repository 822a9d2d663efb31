import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { Mailbox, type MailboxOptions } from '../../../../tools/mailbox/mailbox.js';
import { NotBegun } from '../deliveries/delivery.js';
import type { Mail } from './mail.js';
import { SmtpMailer, type MailSettings } from './smtp-mailer.js';

const from = { name: 'Acme', address: 'support@acme.example' };
const mail: Mail = { to: { name: 'Rita', address: 'rita@example.org' }, subject: 'Hello', text: 'Good day', messageId: '<one@acme.example>' };

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
});

function mailerAt(url: string | undefined, settings: Partial<MailSettings> = {}) {
  const mailer = new SmtpMailer({ url, from, connections: 2, ...settings });
  ends.push(() => mailer.onApplicationShutdown());
  return mailer;
}

async function opened(options: MailboxOptions = {}, settings: Partial<MailSettings> = {}) {
  const mailbox = new Mailbox(options);
  const mailer = mailerAt(await mailbox.open(), settings);
  ends.push(() => mailbox.close());
  return { mailbox, mailer };
}

describe('a mail', () => {
  it('is delivered when the server has taken it, as it was claimed', async () => {
    const { mailbox, mailer } = await opened();
    const answer = { replyTo: { name: 'Acme', address: 'in+7@acme.example' }, inReplyTo: '<zero@x>', references: ['<a@x>', '<zero@x>'], headers: { 'Auto-Submitted': 'auto-generated' } };
    expect(await mailer.send({ ...mail, ...answer, subject: 'Grüße – 你好' })).toMatchObject({ state: 'delivered' });
    expect(mailbox.mails).toMatchObject([
      { subject: 'Grüße – 你好', text: 'Good day\n', messageId: '<one@acme.example>', inReplyTo: '<zero@x>', references: ['<a@x>', '<zero@x>'], envelope: { from: from.address, to: ['rita@example.org'] } },
    ]);
    expect(mailbox.mails[0]!.headers).toMatchObject({ 'auto-submitted': 'auto-generated' });
  });

  it.each([
    [451, 'failed'],
    [421, 'failed'],
    [550, 'refused'],
    [535, 'failed'],
  ] as const)('that the server answers with %i has %s', async (code, state) => {
    const { mailer } = await opened({ refuse: () => ({ code, text: 'not this one' }) });
    expect(await mailer.send(mail)).toMatchObject({ state, detail: expect.stringContaining('not this one') });
  });

  it('has failed where the server says nothing more, and the next one is not held up', async () => {
    let silent = true;
    const { mailer, mailbox } = await opened({ refuse: () => (silent ? 'silence' : undefined) }, { patience: { room: 5_000, mail: 1_000 } });
    expect(await mailer.send(mail)).toMatchObject({ state: 'failed' });
    silent = false;
    await eventually(async () => expect(await mailer.send(mail)).toMatchObject({ state: 'delivered' }), 'it is delivered in time');
    expect(mailbox.mails.length).toBeGreaterThan(0);
  });

  it('that finds all connections busy was not begun with, and has all of its time once it is', async () => {
    let answer: () => void = () => undefined;
    const slow = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'], disableReverseLookup: true, closeTimeout: 500, logger: false, onData: (stream, _, done) => void stream.on('end', () => (answer = () => done())).resume() });
    slow.listen(0, '127.0.0.1');
    await once(slow.server, 'listening');
    ends.push(() => new Promise<void>((resolve) => slow.close(resolve)));
    const mailer = mailerAt(`smtp://127.0.0.1:${(slow.server.address() as AddressInfo).port}`, { connections: 1, patience: { room: 100, mail: 2_000 } });
    const first = mailer.send(mail);
    await expect(mailer.send(mail)).rejects.toThrow(NotBegun);
    expect(await first).toMatchObject({ state: 'failed' });
    await eventually(async () => {
      const answering = setInterval(() => answer(), 20);
      expect(await mailer.send(mail).finally(() => clearInterval(answering))).toMatchObject({ state: 'delivered' });
    }, 'it is taken');
  });

  it('has failed where nobody listens or a server refuses us all, and is refused at once where none is configured', async () => {
    expect(await mailerAt('smtp://127.0.0.1:9').send(mail)).toMatchObject({ state: 'failed' });
    const closed = createServer((socket) => socket.end('554 no service here\r\n')).listen(0, '127.0.0.1');
    ends.push(() => closed.close());
    await once(closed, 'listening');
    expect(await mailerAt(`smtp://127.0.0.1:${(closed.address() as AddressInfo).port}`).send(mail)).toMatchObject({ state: 'failed' });
    expect(await mailerAt(undefined).send(mail)).toEqual({ state: 'refused', detail: expect.stringContaining('SMTP_URL') });
  });

  it('has one recipient and its own headers, whatever names, subjects and addresses try', async () => {
    const { mailbox, mailer } = await opened();
    const injected = { name: 'Rita\r\nBcc: eve@example.org', address: 'rita@example.org' };
    await mailer.send({ ...mail, to: injected, subject: 'Hi\r\nBcc: eve@example.org\r\n\r\nbody', headers: { 'X-Ticket': '7\r\nBcc: eve@example.org' } });
    expect(mailbox.mails[0]).toMatchObject({ envelope: { to: ['rita@example.org'] }, subject: 'Hi Bcc: eve@example.org body', text: 'Good day\n' });
    expect(Object.keys(mailbox.mails[0]!.headers)).not.toContain('bcc');
    for (const address of ['rita@example.org,eve@example.org', 'rita@example.org\r\nRCPT TO:<eve@example.org>', 'Rita <rita@example.org>', '', 'rita', 'a@b@c', '"x"@example.org']) {
      expect(await mailer.send({ ...mail, to: { name: '', address } })).toMatchObject({ state: 'refused' });
    }
    expect(mailbox.mails).toHaveLength(1);
  });
});
