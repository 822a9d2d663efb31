import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { maxInboundEmailBytes } from '#contracts';
import { Fault } from '#messaging';
import { isPassing } from '#persistence';
import { lastMailboxLook, mailboxMails, mailboxTroubles } from '../metrics.js';
import { WorkLoop } from '../work-loop.js';
import type { ImapSettings } from './imap-config.js';
import { ImapMailbox, MailboxTrouble } from './imap-mailbox.js';
import { InboundMail, NotTaken } from './inbound-mail.js';
import { InboundMailboxes, leaseMs, type HeldMailbox, type MailPlace, type Tried } from './inbound-mailbox.store.js';
import { UnreadableMail } from './mail.reader.js';

/** The mailbox to look into; undefined where there is none. */
export const IMAP_SETTINGS = Symbol('imap settings');

/** Mails of one visit: then somebody else may go on. */
const handful = 500;
/** Whatever a mail does to us, it is begun with as often, then set aside. */
const mostTries = 3;
/** Until a mail that failed is begun with again, and one that met trouble which was not its own: the first time, and at most, ms. */
const afterFailure = { first: 60_000, most: 3_600_000 };
const afterTrouble = { first: 5_000, most: 600_000 };
/** Until a mail of a sender who sends too many is looked at again, ms. */
const tooManyMs = 120_000;
/** A mailbox that cannot be looked into rests at most so long, ms: who locks users out after wrong passwords must not be provoked. */
const longestRest = 600_000;

/** What becomes of a mail: the folder it goes to, or when it is looked at again, and whether it has itself to blame. */
type Verdict = { outcome: string } & ({ folder: 'taken' | 'aside' } | { until: Date; isOwn: boolean });

/** What a mail has been through, this time included. */
type Past = Pick<Tried, 'tries' | 'faults'>;

/**
 * Looks into a mailbox now and then and takes what lies in it, as the door for mail servers takes mails. A mail leaves its folder only once it was taken, so it comes
 * at least once; that it changes its ticket once is what taking it guarantees. One process looks at a time. What the mailbox does to us concerns nothing else.
 */
@Injectable()
export class MailboxPoll implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('inbound mailbox');
  private readonly stopping = new AbortController();
  private readonly loop: WorkLoop | undefined;

  constructor(
    @Inject(IMAP_SETTINGS) settings: ImapSettings | undefined,
    private readonly mailboxes: InboundMailboxes,
    private readonly inbound: InboundMail,
  ) {
    if (settings === undefined) return;
    const pauseMs = Math.min(2_000, settings.intervalMs / 4);
    this.loop = new WorkLoop({ next: () => this.next(settings), pauseMs, troubledMs: 2_000, onTrouble: (error) => this.tell(error) });
  }

  onApplicationBootstrap(): void {
    this.loop?.start();
  }

  /** The mail at hand is finished with where that is quick; otherwise it is taken again. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.loop?.stop();
  }

  /** @returns whether there is more to do at once @throws StoreFault */
  private async next(settings: ImapSettings): Promise<boolean> {
    const { user, host, port, folder, intervalMs } = settings;
    const held = await this.mailboxes.take(`${user}@${host}:${port}/${folder}`);
    if (held === undefined) return false;
    try {
      const isMore = await this.visit(settings, held);
      lastMailboxLook.set(Date.now() / 1_000);
      await this.mailboxes.finish(held, { strikes: 0, restsUntil: new Date(isMore ? 0 : Date.now() + intervalMs) });
      return isMore;
    } catch (error) {
      if (!this.stopping.signal.aborted) this.tell(error);
      const strikes = held.strikes + 1;
      const rest = this.stopping.signal.aborted ? 0 : Math.min(Math.max(intervalMs, longestRest), intervalMs * 2 ** Math.min(strikes, 20));
      await this.mailboxes.finish(held, { strikes, restsUntil: new Date(Date.now() + rest) });
      return false;
    }
  }

  private async visit(settings: ImapSettings, held: HeldMailbox): Promise<boolean> {
    const lost = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, lost.signal]);
    const renewing = setInterval(() => void this.mailboxes.renew(held).then((isOurs) => !isOurs && lost.abort(), (error: unknown) => this.tell(error)), leaseMs / 3);
    try {
      const mailbox = await ImapMailbox.open(settings, { mostBytes: maxInboundEmailBytes, signal });
      try {
        return await this.takeAll(mailbox, { settings, name: held.name, signal });
      } finally {
        await mailbox.close();
      }
    } finally {
      clearInterval(renewing);
    }
  }

  /** Those that made trouble come last: they hold up nobody else. @returns whether others wait */
  private async takeAll(mailbox: ImapMailbox, { settings, name, signal }: { settings: ImapSettings; name: string; signal: AbortSignal }): Promise<boolean> {
    const { uidValidity } = mailbox;
    const [uids, tried] = [await mailbox.waiting(), await this.mailboxes.tried({ mailbox: name, uidValidity })];
    const due = inOrder(uids, tried);
    for (const uid of due.slice(0, handful)) {
      if (signal.aborted) return false;
      await this.takeOne(mailbox, { mailbox: name, uidValidity, uid }, settings);
    }
    return due.length > handful;
  }

  private async takeOne(mailbox: ImapMailbox, mail: MailPlace, { takenFolder, asideFolder }: ImapSettings): Promise<void> {
    const past = await this.mailboxes.begin(mail);
    const verdict = await this.judge(mailbox, mail, past);
    if (verdict === 'gone') return this.mailboxes.forget(mail);
    if ('until' in verdict) return this.putOff(mail, verdict);
    const isMoved = await mailbox.move(mail.uid, verdict.folder === 'taken' ? takenFolder : asideFolder).then(() => true, unlessKept);
    if (!isMoved) return this.putOff(mail, { outcome: 'not_moved', until: later(afterTrouble, past.faults), isOwn: false });
    mailboxMails.inc({ outcome: verdict.outcome });
    if (verdict.folder === 'aside') this.logger.warn({ msg: 'a mail was set aside', outcome: verdict.outcome, uid: mail.uid, folder: asideFolder });
    await this.mailboxes.forget(mail);
  }

  private async putOff(mail: MailPlace, { outcome, until, isOwn }: { outcome: string; until: Date; isOwn: boolean }): Promise<void> {
    mailboxMails.inc({ outcome });
    this.logger.warn({ msg: 'a mail waits in its folder', outcome, uid: mail.uid, until });
    await this.mailboxes.putOff(mail, { until, isOwn });
  }

  private async judge(mailbox: ImapMailbox, mail: MailPlace, past: Past): Promise<Verdict | 'gone'> {
    if (past.tries > mostTries) return { outcome: 'failed_every_time', folder: 'aside' };
    try {
      const raw = await mailbox.read(mail.uid, maxInboundEmailBytes);
      if (raw === undefined) return 'gone';
      if (raw === 'too_large') return { outcome: raw, folder: 'aside' };
      const { outcome } = await this.inbound.receive(raw);
      return { outcome, folder: 'taken' };
    } catch (error) {
      if (error instanceof UnreadableMail || error instanceof NotTaken) return refusalOf(error);
      if (!isOthers(error)) return this.failure(error, mail, past);
      // It comes behind all others next time: were it the one that brings the trouble about, these would still be taken.
      await this.mailboxes.putOff(mail, { until: later(afterTrouble, past.faults), isOwn: false });
      throw error;
    }
  }

  private failure(error: unknown, { uid }: MailPlace, { tries }: Past): Verdict {
    this.logger.error({ msg: 'a mail cannot be taken', uid, tries, err: error });
    return { outcome: 'failed', until: later(afterFailure, tries - 1), isOwn: true };
  }

  private tell(error: unknown): void {
    const { reason, err } = error instanceof MailboxTrouble ? { reason: error.reason, err: error.message } : { reason: 'own_trouble', err: error };
    mailboxTroubles.inc({ reason });
    this.logger.warn({ msg: 'the mailbox cannot be looked into right now', reason, err });
  }
}

/** Those that were never begun with first, then those that made the least trouble; oldest first. */
function inOrder(uids: readonly number[], tried: ReadonlyMap<number, Tried>): number[] {
  const now = Date.now();
  const trouble = (uid: number) => (tried.get(uid)?.tries ?? 0) + (tried.get(uid)?.faults ?? 0);
  return uids.filter((uid) => (tried.get(uid)?.notBefore.getTime() ?? 0) <= now).sort((one, other) => trouble(one) - trouble(other) || one - other);
}

/** Trouble of the mailbox, the store or the broker: everything waits for its end. */
const isOthers = (error: unknown) => error instanceof MailboxTrouble || error instanceof Fault || isPassing(error);

/** Who sends too many waits; what nobody can take never will be. */
const refusalOf = ({ code }: UnreadableMail | NotTaken): Verdict =>
  code === 'too_many' ? { outcome: code, until: new Date(Date.now() + tooManyMs), isOwn: false } : { outcome: code, folder: 'aside' };

const later = ({ first, most }: { first: number; most: number }, before: number) => new Date(Date.now() + Math.min(most, first * 2 ** Math.min(before, 20)));

/** False where the server keeps a mail where it is; throws anything else. */
function unlessKept(error: unknown): false {
  if (error instanceof MailboxTrouble && error.reason === 'move_refused') return false;
  throw error;
}
