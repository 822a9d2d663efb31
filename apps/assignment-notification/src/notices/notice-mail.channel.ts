import { Inject, Injectable } from '@nestjs/common';
import { v5 } from 'uuid';
import { directoryKey, type Assistant, type KnownMember, type Notice } from '#contracts';
import type { Channel, Delivery, SendOutcome } from '../deliveries/delivery.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { Mailer } from '../mail/mail.js';
import { digestMail, noticeMail, type Letterhead } from './notice-mail.js';
import { askerOf } from './notice.policy.js';
import { noticeFor } from './notice-reads.js';
import { NoticeTickets, ticketKey } from './notice-tickets.store.js';
import { NoticeStore, type StoredNotice } from './notices.store.js';
import { noticeMail as channelName, type Posted } from './postbox.js';
import { Preferences, preferencesKey } from './preferences.store.js';

/** Address of the console. */
export const PUBLIC_URL = Symbol('public url');

const [minute, hour] = [60, 3_600];
/** Ids of messages derive from what they tell: never change it. */
const namespace = '8d0a3a55-0c4e-4f0e-8f5e-1a7b5a9f6f10';

/** Mails people what they are told. Whom it is told, and what of it they may see, is judged again when it is sent. */
@Injectable()
export class NoticeMails implements Channel {
  readonly name = channelName;
  /** What has not arrived after a day is no news. */
  readonly pauses = [minute, 5 * minute, 15 * minute, hour, 3 * hour, 6 * hour, 12 * hour];
  readonly parallel = 4;
  readonly limitMs = 30_000;

  constructor(
    private readonly notices: NoticeStore,
    private readonly tickets: NoticeTickets,
    private readonly directory: DirectoryStore,
    private readonly preferences: Preferences,
    private readonly mailer: Mailer,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  async send({ _id, orgId, content }: Delivery): Promise<SendOutcome> {
    const posted = JSON.parse(content) as Posted;
    const stored = 'notice' in posted ? await this.notices.some([posted.notice]) : await this.notices.digest(posted.digest);
    const outcome = await this.mailed(orgId, stored, { id: v5(_id, namespace), isDigest: 'digest' in posted });
    if (outcome.state !== 'failed') await this.notices.markMailed(stored.map(({ _id: id }) => id));
    return outcome;
  }

  private async mailed(orgId: string, stored: readonly StoredNotice[], { id, isDigest }: { id: string; isDigest: boolean }): Promise<SendOutcome> {
    const memberId = stored[0]?.memberId;
    const to = memberId === undefined ? undefined : ((await this.directory.some(new Set([directoryKey({ orgId, kind: 'member', id: memberId })]))).values().next().value as KnownMember | undefined);
    if (to === undefined) return moot('Nobody is there to be told.');
    if (to.email === '') return moot('They have no address.');
    const told = await this.toldTo(to, orgId, stored);
    if (told.length === 0) return moot('They may not see it any more, or do not want it mailed.');
    const head: Letterhead = { to, publicUrl: this.publicUrl, id };
    return this.mailer.send(isDigest ? digestMail(told, head) : noticeMail(told[0]!, head));
  }

  private async toldTo(to: KnownMember, orgId: string, stored: readonly StoredNotice[]): Promise<Notice[]> {
    const wanted = (await this.preferences.of([preferencesKey(orgId, to.id)]))(preferencesKey(orgId, to.id));
    const tickets = await this.tickets.some(new Set(stored.flatMap(({ ticketId }) => (ticketId === null ? [] : ticketKey(orgId, ticketId)))));
    const assistantKey = (id: string) => directoryKey({ orgId, kind: 'assistant', id });
    const assistants = await this.directory.some(new Set([...tickets.values()].flatMap(({ assistantId }) => (assistantId === null ? [] : assistantKey(assistantId)))));
    return stored.flatMap((one) => {
      if (one.mailedFor === null || wanted[one.mailedFor].email === 'never') return [];
      const ticket = one.ticketId === null ? null : tickets.get(ticketKey(orgId, one.ticketId));
      const assistant = ticket?.assistantId == null ? undefined : (assistants.get(assistantKey(ticket.assistantId)) as Assistant | undefined);
      return noticeFor(askerOf(to, assistant), one, ticket) ?? [];
    });
  }
}

const moot = (detail: string): SendOutcome => ({ state: 'moot', detail });
