import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Actor, Principal } from '#contracts';
import { eventually } from '../../../../libs/servers/testing/eventually.js';
import { Mailbox, type Refusal, type TakenMail } from '../../../../tools/mailbox/mailbox.js';
import { course } from '../../testing/course.js';
import { assistant, member, Running } from '../../testing/running.js';

let one: Running;
let other: Running;
let refusal: Refusal | undefined;
const mailbox = new Mailbox({ keep: 10_000, refuse: () => refusal });

beforeAll(async () => {
  const smtp = { SMTP_URL: await mailbox.open() };
  one = await Running.start(undefined, smtp);
  other = await Running.start(one.database, smtp);
});
afterAll(async () => {
  await other?.stop({ keep: true });
  await one?.stop();
  await mailbox.close();
});
beforeEach(() => {
  refusal = undefined;
});

const person = (id: string): Actor & { type: 'member' } => ({ type: 'member', id, name: id });

/** An organisation whose people have addresses of their own. */
async function organised() {
  const orgId = `org-${randomUUID().slice(0, 8)}`;
  const people = ['ada', 'grace', 'linus'].map((id) => member(orgId, id, { timeZone: 'Europe/Berlin' }));
  const addressed = people.map((entry) => ({ ...entry, value: { ...entry.value, email: `${entry.id}@${orgId}.example` } }) as typeof entry);
  await one.know(...addressed, assistant(orgId, 'billing-bot', ['grace']));
  const wants = (id: string, body: object) => one.ask({ orgId, actor: person(id), access: { role: 'member', assistantIds: [] } } satisfies Principal, 'PUT', '/notification-preferences', { body });
  const mails = (id: string): TakenMail[] => mailbox.mails.filter(({ envelope }) => envelope.to[0] === `${id}@${orgId}.example`);
  return { orgId, wants, mails };
}
const opened = (orgId: string) => course(orgId).by(person('ada')).created({ assistantId: 'billing-bot', createdBy: person('ada'), title: 'Printer\r\nBcc: eve@evil.example', updatedAt: new Date().toISOString() });
const ended = (orgId: string, state: string) => eventually(async () => expect(await one.db.collection('deliveries').countDocuments({ orgId, state })).toBeGreaterThan(0), `one is ${state}`);
const targetsOf = (orgId: string) => new RegExp(`^notice-mail:${orgId}/`);
/** An hour goes by: what waits for its end is due. */
async function hourOver(orgId: string) {
  await one.db.collection('deliveries').updateMany({ orgId, queue: /digest$/, state: 'waiting' }, { $set: { dueAt: new Date(Date.now() - 1_000) } });
  await one.db.collection<{ _id: string }>('targets').updateMany({ _id: targetsOf(orgId) }, { $set: { dueAt: new Date(0) }, $inc: { wakes: 1 } });
}

describe('a notice', () => {
  it('is mailed once, at once, by one of two instances that hear of it', async () => {
    const { orgId, mails } = await organised();
    const story = opened(orgId).commented('note', 'see this, @grace');
    await Promise.all([one.tell(...story.events), other.tell(...story.events, ...story.events)]);
    await eventually(() => expect(mails('grace')).toHaveLength(1), 'grace has 1');
    await one.tell(...story.events);
    await one.tell(...story.moved('pending').commented('comment', '@grace again').events.slice(-2));
    await eventually(() => expect(mails('grace')).toHaveLength(2), 'grace has 2');
    expect(mails('grace').at(-1)).toMatchObject({ subject: '[#1042] Printer Bcc: eve@evil.example: ada mentioned you in a note', headers: { 'auto-submitted': 'auto-generated' } });
    expect(mails('grace').map(({ headers }) => headers['bcc'])).toEqual([undefined, undefined]);
    expect([mails('linus'), mails('ada')]).toEqual([[], []]);
  });

  it('is tried again under its Message-ID where the server does not take it, and judged again then', async () => {
    const { orgId, mails } = await organised();
    refusal = { code: 451, text: 'not now' };
    const story = opened(orgId).commented('comment', '@grace one');
    await one.tell(...story.events);
    const waiting = () => one.db.collection('deliveries').findOne({ orgId, tries: 1, state: 'waiting' });
    await eventually(async () => expect(await waiting()).not.toBeNull(), 'it was tried');
    refusal = undefined;
    await one.tell(...story.refiled(null).events.slice(-1));
    await one.db.collection('deliveries').updateMany({ orgId }, { $set: { dueAt: new Date(0) } });
    await one.db.collection<{ _id: string }>('targets').updateMany({ _id: targetsOf(orgId) }, { $set: { dueAt: new Date(0), restsUntil: new Date(0) }, $inc: { wakes: 1 } });
    await ended(orgId, 'dropped');
    expect(mails('grace')).toEqual([]);
  });

  it('is mailed to nobody who has left or never wants it, and told as they chose', async () => {
    const { orgId, wants, mails } = await organised();
    await wants('grace', { mentioned: { inApp: 'at-once', email: 'never' } });
    const story = opened(orgId).commented('comment', '@grace one');
    await one.tell(...story.events);
    await one.know(member(orgId, 'grace', { revision: 2, deleted: true }));
    await one.tell(...story.assigned(person('grace')).assigned(person('linus')).events.slice(-2));
    await eventually(() => expect(mails('linus')).toHaveLength(1), 'linus has 1');
    expect(mails('grace')).toEqual([]);
  });
});

describe('a flood of notices', () => {
  it('of one person delays nobody else’s, in their organisation or in another', async () => {
    const [flooded, quiet] = [await organised(), await organised()];
    let story = opened(flooded.orgId);
    for (let i = 0; i < 250; i += 1) story = story.commented('comment', '@grace one more');
    await one.tell(...story.events);
    const [beside, elsewhere] = [opened(flooded.orgId).commented('comment', '@linus one'), opened(quiet.orgId).commented('comment', '@grace one')];
    await one.tell(...beside.assigned(person('linus')).events, ...elsewhere.events);
    const earlier = flooded.mails('grace').length; // before anybody else had one to come
    await eventually(() => expect([flooded.mails('linus').length > 0, quiet.mails('grace').length]).toEqual([true, 1]), 'both others have theirs');
    const taken = mailbox.mails.map(({ envelope }) => envelope.to[0]).reverse();
    const others = [`linus@${flooded.orgId}.example`, `grace@${quiet.orgId}.example`].map((address) => taken.indexOf(address));
    expect(taken.slice(0, Math.max(...others)).filter((address) => address === `grace@${flooded.orgId}.example`).length - earlier).toBeLessThan(200);
    await eventually(() => expect(flooded.mails('grace')).toHaveLength(250), 'all are mailed', 150_000);
  });
});

describe('a digest', () => {
  it('is one mail of what came in the hour, by either instance, without what has left their sight', async () => {
    const { orgId, wants, mails } = await organised();
    await wants('grace', { mentioned: { inApp: 'never', email: 'hourly' } });
    const [seen, hidden] = [opened(orgId).commented('comment', '@grace one').commented('comment', '@grace two'), opened(orgId).commented('note', '@grace the secret')];
    await Promise.all([one.tell(...seen.events, ...hidden.events), other.tell(...seen.events, ...hidden.events)]);
    expect(await one.db.collection('deliveries').countDocuments({ orgId, state: 'waiting' })).toBe(1);
    await one.tell(...hidden.refiled('tech-bot').events.slice(-1));
    await hourOver(orgId);
    await eventually(() => expect(mails('grace')).toHaveLength(1), 'grace has 1');
    await one.tell(...seen.events, ...hidden.events);
    await ended(orgId, 'delivered');
    const [mail] = mails('grace');
    expect([mail!.subject, mail!.text.includes('@grace one'), mail!.text.includes('@grace two'), mail!.text.includes('secret')]).toEqual(['2 notifications: #1042 Printer Bcc: eve@evil.example', true, true, false]);
    expect(await one.db.collection('deliveries').countDocuments({ orgId })).toBe(1);
  });

  it('tells of all that came, however much: by number what is too much to name', async () => {
    const { orgId, wants, mails } = await organised();
    await wants('grace', { mentioned: { inApp: 'never', email: 'hourly' } });
    let story = opened(orgId);
    for (let i = 0; i < 600; i += 1) story = story.commented('comment', `@grace ${i}`);
    for (let i = 0; i < story.events.length; i += 100) await one.tell(...story.events.slice(i, i + 100));
    // They may have come in two hours.
    const digests = await one.db.collection('notices').distinct('digest', { orgId, memberId: 'grace' });
    await hourOver(orgId);
    await eventually(() => expect(mails('grace')).toHaveLength(digests.length), 'grace has been told');
    const told = mails('grace').map(({ subject, text }) => [Number(/^(\d+) notifications/.exec(subject)![1]), Number(/and (\d+) more/.exec(text)![1])] as const);
    expect(told.reduce((sum, [all]) => sum + all, 0)).toBe(600);
    for (const [all, more] of told) expect(all - more).toBe(10);
    await eventually(async () => expect(await one.db.collection('notices').countDocuments({ orgId, memberId: 'grace', mailedAt: null })).toBe(0), 'all are marked');
  });

  it('is none where nothing is left to tell', async () => {
    const { orgId, wants, mails } = await organised();
    await wants('grace', { mentioned: { inApp: 'never', email: 'hourly' } });
    const story = opened(orgId).commented('comment', '@grace one');
    await one.tell(...story.events);
    await wants('grace', { mentioned: { inApp: 'never', email: 'never' } });
    await hourOver(orgId);
    await ended(orgId, 'dropped');
    expect(mails('grace')).toEqual([]);
  });

  it('has the same Message-ID when a crash has it sent again, and what comes too late for it goes with a later one', async () => {
    const { orgId, wants, mails } = await organised();
    await wants('grace', { mentioned: { inApp: 'never', email: 'hourly' } });
    const story = opened(orgId).commented('comment', '@grace one');
    await one.tell(...story.events);
    await hourOver(orgId);
    await ended(orgId, 'delivered');
    // As a process leaves it that dies when the server has taken the mail.
    await one.db.collection('deliveries').updateMany({ orgId }, { $set: { state: 'waiting', tries: 0, dueAt: new Date(0), endedAt: null } });
    await hourOver(orgId);
    await eventually(() => expect(mails('grace')).toHaveLength(2), 'grace has 2');
    await ended(orgId, 'delivered');
    expect(mails('grace')[0]!.messageId).toBe(mails('grace')[1]!.messageId);
    // As one leaves it that dies before it claims the mail, hours ago.
    const past = new Date(Math.floor(Date.now() / 3_600_000 - 3) * 3_600_000).toISOString();
    const digest = `notice-digest/${orgId}/grace/${past}`;
    const late = story.commented('comment', '@grace late');
    await one.tell(...late.events.slice(-1));
    await one.db.collection('deliveries').deleteMany({ orgId });
    await one.db.collection('notices').updateMany({ orgId, memberId: 'grace' }, { $set: { digest } });
    await one.tell(...late.events.slice(-1));
    const moved = await one.db.collection('notices').findOne({ orgId, memberId: 'grace', version: 3 });
    expect(Date.parse(String(moved!['digest']).split('/').at(-1)!)).toBeGreaterThan(Date.now());
    await hourOver(orgId);
    await eventually(() => expect(mails('grace')).toHaveLength(3), 'grace has 3');
    expect([mails('grace')[0]!.text.includes('late'), mails('grace')[0]!.subject]).toEqual([true, 'One notification: #1042 Printer Bcc: eve@evil.example']);
  });
});
