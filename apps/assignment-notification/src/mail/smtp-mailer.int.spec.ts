import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Mailbox, type MailboxOptions } from '../../../../tools/mailbox/mailbox.js';
import type { Mail } from './mail.js';
import { SmtpMailer } from './smtp-mailer.js';

const from = { name: 'Acme', address: 'support@acme.example' };
const mail: Mail = { to: { name: 'Rita', address: 'rita@example.org' }, subject: 'Hello', text: 'Good day', messageId: '<one@acme.example>' };
const soon = () => AbortSignal.timeout(5_000);

let ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
});

function mailerAt(url: string | undefined) {
  const mailer = new SmtpMailer({ url, from, connections: 2 });
  ends.push(() => mailer.onApplicationShutdown());
  return mailer;
}

async function opened(options: MailboxOptions = {}) {
  const mailbox = new Mailbox(options);
  const mailer = mailerAt(await mailbox.open());
  ends.push(() => mailbox.close());
  return { mailbox, mailer };
}

describe('a mail', () => {
  it('is delivered when the server has taken it, as it was claimed', async () => {
    const { mailbox, mailer } = await opened();
    const answer = { replyTo: { name: 'Acme', address: 'in+7@acme.example' }, inReplyTo: '<zero@x>', references: ['<a@x>', '<zero@x>'], headers: { 'Auto-Submitted': 'auto-generated' } };
    expect(await mailer.send({ ...mail, ...answer, subject: 'Grüße – 你好' }, soon())).toMatchObject({ state: 'delivered' });
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
    expect(await mailer.send(mail, soon())).toMatchObject({ state, detail: expect.stringContaining('not this one') });
  });

  it('has failed where the server says nothing more, and the next one is not held up', async () => {
    let silent = true;
    const { mailer, mailbox } = await opened({ refuse: () => (silent ? 'silence' : undefined) });
    expect(await mailer.send(mail, AbortSignal.timeout(300))).toMatchObject({ state: 'failed' });
    silent = false;
    expect(await mailer.send(mail, soon())).toMatchObject({ state: 'delivered' });
    expect(mailbox.mails).toHaveLength(1);
  });

  it('has failed where nobody listens or a server refuses us all, and is refused at once where none is configured', async () => {
    expect(await mailerAt('smtp://127.0.0.1:9').send(mail, soon())).toMatchObject({ state: 'failed' });
    const closed = createServer((socket) => socket.end('554 no service here\r\n')).listen(0, '127.0.0.1');
    ends.push(() => closed.close());
    await once(closed, 'listening');
    expect(await mailerAt(`smtp://127.0.0.1:${(closed.address() as AddressInfo).port}`).send(mail, soon())).toMatchObject({ state: 'failed' });
    expect(await mailerAt(undefined).send(mail, soon())).toEqual({ state: 'refused', detail: expect.stringContaining('SMTP_URL') });
  });

  it('has one recipient and its own headers, whatever names, subjects and addresses try', async () => {
    const { mailbox, mailer } = await opened();
    const injected = { name: 'Rita\r\nBcc: eve@example.org', address: 'rita@example.org' };
    await mailer.send({ ...mail, to: injected, subject: 'Hi\r\nBcc: eve@example.org\r\n\r\nbody', headers: { 'X-Ticket': '7\r\nBcc: eve@example.org' } }, soon());
    expect(mailbox.mails[0]).toMatchObject({ envelope: { to: ['rita@example.org'] }, subject: 'Hi Bcc: eve@example.org body', text: 'Good day\n' });
    expect(Object.keys(mailbox.mails[0]!.headers)).not.toContain('bcc');
    for (const address of ['rita@example.org,eve@example.org', 'rita@example.org\r\nRCPT TO:<eve@example.org>', 'Rita <rita@example.org>', '', 'rita', 'a@b@c', '"x"@example.org']) {
      expect(await mailer.send({ ...mail, to: { name: '', address } }, soon())).toMatchObject({ state: 'refused' });
    }
    expect(mailbox.mails).toHaveLength(1);
  });
});
