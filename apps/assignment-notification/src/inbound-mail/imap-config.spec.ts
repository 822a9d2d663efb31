import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { mailConfig } from '../mail/mail-config.js';
import { checkImap, imapConfig, imapSettings } from './imap-config.js';

const Settings = z.object({ ...mailConfig, ...imapConfig }).superRefine(checkImap);
const url = 'imaps://desk%40acme.example:p%3Ass@mail.example';
const flaws = (env: Record<string, string>) => Settings.safeParse({ INBOUND_DOMAIN: 'in.acme.example', ...env }).error?.issues ?? [];

describe('a mailbox to look into', () => {
  it('is named by one address', () => {
    const settings = (env: Record<string, string>) => imapSettings(Settings.parse({ INBOUND_DOMAIN: 'in.acme.example', ...env }));
    expect(settings({ IMAP_URL: url, IMAP_INTERVAL: '5' })).toMatchObject({ host: 'mail.example', port: 993, isSecure: true, user: 'desk@acme.example', password: 'p:ss', folder: 'INBOX', takenFolder: 'Taken', asideFolder: 'Set aside', intervalMs: 5_000 });
    expect(settings({ IMAP_URL: 'imap://desk:pass@[::1]:1143/', IMAP_FOLDER: 'Desk' })).toMatchObject({ host: '::1', port: 1143, isSecure: false, folder: 'Desk' });
    expect(settings({})).toBeUndefined();
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['without a scheme', { IMAP_URL: 'mail.example' }, ['IMAP_URL']],
    ['without a password', { IMAP_URL: 'imaps://desk@mail.example' }, ['IMAP_URL']],
    ['with a password that is not written right', { IMAP_URL: 'imaps://desk:100%@mail.example' }, ['IMAP_URL']],
    ['with a folder in its address', { IMAP_URL: `${url}/INBOX` }, ['IMAP_URL']],
    ['that mails are moved into', { IMAP_URL: url, IMAP_FOLDER: 'Inbox', IMAP_TAKEN_FOLDER: 'INBOX', IMAP_ASIDE_FOLDER: 'inbox' }, ['IMAP_TAKEN_FOLDER', 'IMAP_ASIDE_FOLDER']],
    ['without pause', { IMAP_URL: url, IMAP_INTERVAL: '0' }, ['IMAP_INTERVAL']],
    ['with another command in its folder', { IMAP_URL: url, IMAP_FOLDER: 'INBOX"\r\nA1 DELETE' }, ['IMAP_FOLDER']],
  ])('is none %s, and no message tells its password', (_, env, wrong) => {
    const found = flaws(env);
    expect(found.map(({ path }) => path.join())).toEqual(wrong);
    expect(JSON.stringify(found)).not.toMatch(/p:ss|p%3Ass|100%/);
  });

  it('is of no use where mails have no organisation', () => {
    expect(Settings.safeParse({ IMAP_URL: url }).error?.issues.map(({ path }) => path.join())).toEqual(['INBOUND_DOMAIN']);
  });
});
