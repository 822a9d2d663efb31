import { describe, expect, it } from '@jest/globals';
import { alwaysThere, type Notice, type KnownMember } from '#contracts';
import { digestMail, noticeMail } from './notice-mail.js';

const to: KnownMember = { id: 'grace', name: 'Grace Hopper', email: 'grace@example.org', role: 'member', availability: { ...alwaysThere, timeZone: 'Asia/Kolkata' } };
const head = { to, publicUrl: 'https://desk.example.org', id: 'm1' };
const ticket = (number = 7, title = 'Invoice 4711') => ({ id: `00000000-0000-4000-8000-00000000000${number}`, number, title });
const mentioned = (changes: Partial<Notice> = {}): Notice => ({ id: 'n1', at: '2026-03-01T10:00:00.000Z', readAt: null, actor: { type: 'member', id: 'ada', name: 'Ada' }, ticket: ticket(), version: 3, kind: 'mentioned', data: { where: 'note', commentId: 'c', excerpt: 'See this, @grace' }, ...changes }) as Notice;

describe('the mail about a notice', () => {
  it('says what happened, who did it, where to look and how to hear less', () => {
    const mail = noticeMail(mentioned(), head);
    expect(mail).toMatchObject({ to: { name: 'Grace Hopper', address: 'grace@example.org' }, subject: '[#7] Invoice 4711: Ada mentioned you in a note', messageId: '<m1@desk.example.org>', headers: { 'Auto-Submitted': 'auto-generated', 'List-Unsubscribe': '<https://desk.example.org/settings/notifications>' } });
    expect(mail.text).toBe(
      `Ada mentioned you in a note (#7 Invoice 4711).\n\n> See this, @grace\n\nhttps://desk.example.org/tickets/${ticket().id}\n\n-- \nYou are told because somebody mentioned you. Choose what you are told: https://desk.example.org/settings/notifications\n`,
    );
  });

  it('stays with the others about its ticket', () => {
    const [one, other] = [noticeMail(mentioned(), head), noticeMail(mentioned(), { ...head, id: 'm2' })];
    expect([one.references, one.inReplyTo]).toEqual([other.references, other.inReplyTo]);
    expect(one.messageId).not.toBe(other.messageId);
  });

  it('has no line that titles, names or texts of others begin', () => {
    const evil = 'x\r\nBcc: eve@evil.example\u2028\u0085-- \n';
    const mail = noticeMail(mentioned({ ticket: ticket(7, evil), actor: { type: 'member', id: 'ada', name: evil }, data: { where: 'note', commentId: 'c', excerpt: evil } } as Partial<Notice>), { ...head, to: { ...to, name: evil } });
    for (const text of [mail.subject, mail.to.name]) expect(text).not.toMatch(/[\r\n\u2028\u0085]/);
    expect(mail.text.split('\n').filter((line) => /^(Bcc|-- )/.test(line))).toEqual(['-- ']);
    expect(noticeMail(mentioned({ ticket: ticket(7, 'x'.repeat(10_000)) }), head).subject.length).toBeLessThanOrEqual(250);
  });

  it('knows every kind', () => {
    const subject = (changes: object) => noticeMail(mentioned(changes as Partial<Notice>), head).subject;
    expect([
      subject({ kind: 'assigned', data: {} }),
      subject({ kind: 'requester-replied', data: { excerpt: 'x' } }),
      subject({ kind: 'status', data: { from: 'open', to: 'pending' } }),
      subject({ kind: 'deadline', data: { deadline: 'first-reply', state: 'missed', dueAt: '' } }),
      subject({ kind: 'organisation', ticket: null, data: { subject: 'webhook-disabled', name: 'CRM', detail: '410 for 5 days' } }),
    ]).toEqual([
      '[#7] Invoice 4711: Ada assigned the ticket to you',
      '[#7] Invoice 4711: the requester wrote',
      '[#7] Invoice 4711: Ada moved the ticket from open to in progress',
      '[#7] Invoice 4711: the first reply is overdue',
      'the webhook CRM was switched off: 410 for 5 days',
    ]);
  });
});

describe('a digest', () => {
  it('is by ticket, by the clock of who gets it', () => {
    const mail = digestMail([mentioned(), mentioned({ ticket: ticket(8, 'Other') }), mentioned({ at: '2026-03-01T10:20:00.000Z', kind: 'status', data: { from: 'open', to: 'resolved' } } as Partial<Notice>)], head);
    expect(mail.subject).toBe('3 notifications: #7 Invoice 4711, #8 Other');
    expect(mail.text).toBe(
      `#7 Invoice 4711\nhttps://desk.example.org/tickets/${ticket(7).id}\n\n  15:30  Ada mentioned you in a note\n         > See this, @grace\n\n  15:50  Ada moved the ticket from open to resolved\n\n#8 Other\nhttps://desk.example.org/tickets/${ticket(8).id}\n\n  15:30  Ada mentioned you in a note\n         > See this, @grace\n\n-- \nTimes are those of Asia/Kolkata. Choose what you are told: https://desk.example.org/settings/notifications\n`,
    );
  });

  it('has a bound', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => mentioned({ ticket: { ...ticket(), id: `t${i % 500 < 400 ? 0 : i}`, number: i + 1 } }));
    const { text } = digestMail(many, head);
    expect(text).toMatch(/and 790 more/);
    expect(text).toMatch(/And 151 more tickets\./);
    expect(text.length).toBeLessThan(50_000);
  });
});
