import { once } from 'node:events';
import { get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTransport } from 'nodemailer';
import { Mailbox, type TakenMail } from './mailbox.js';
import { createMailPages } from './server.js';

let mailbox: Mailbox;
let pages: Server;
let smtp: string;
let url: string;

beforeEach(async () => {
  mailbox = new Mailbox({ keep: 3 });
  smtp = await mailbox.open();
  pages = createMailPages(mailbox).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  url = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
});
afterEach(async () => {
  pages.closeAllConnections();
  pages.close();
  await mailbox.close();
});

const send = (subject: string, text = 'text') => createTransport({ url: smtp }).sendMail({ from: 'a@example.org', to: '"<b>Rita</b>" <rita@example.org>', subject, text });
const listed = async () => ((await (await fetch(`${url}/mails.json`)).json()) as { items: TakenMail[] }).items;

describe('the local mailbox', () => {
  it('keeps the newest mails, for programs and on its pages', async () => {
    for (const subject of ['one', 'two', 'three', 'four']) await send(subject);
    expect((await listed()).map(({ subject }) => subject)).toEqual(['four', 'three', 'two']);
    expect(await (await fetch(url)).text()).toMatch(/four[^]*three[^]*two/);
    expect((await fetch(`${url}/mails`, { method: 'DELETE' })).status).toBe(204);
    expect(await listed()).toEqual([]);
  });

  it('shows what mails say as text, whatever it is', async () => {
    const hostile = '<script>alert(1)</script>"\'&';
    await send(hostile, hostile);
    const [mail] = await listed();
    for (const path of ['/', `/mails/${mail!.id}`]) {
      const answer = await fetch(url + path);
      const page = await answer.text();
      expect(page).toContain('&#60;script&#62;');
      expect(page).not.toMatch(/<script|<b>Rita/);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    }
    const raw = await fetch(`${url}/mails/${mail!.id}.eml`);
    expect([raw.headers.get('content-type'), (await raw.text()).includes('<script>')]).toEqual(['text/plain; charset=utf-8', true]);
  });

  it('answers programs on this machine only, and knows no mail that is not there', async () => {
    expect((await fetch(`${url}/mails/00000000-0000-4000-8000-000000000000`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    const [foreign] = (await once(get(url, { headers: { host: 'evil.example' } }), 'response')) as [IncomingMessage];
    foreign.resume();
    expect(foreign.statusCode).toBe(403);
  });
});
