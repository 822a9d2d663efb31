import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { v5 } from 'uuid';
import { absent } from '../book.changes.js';
import { failedBy, type Channel, type Delivery, type SendOutcome, type Verdict } from '../deliveries/delivery.js';
import { Noticing } from '../notices/noticing.js';
import { Addresses } from './addresses.js';
import { HttpSender, type HttpAnswer } from './http-sender.js';
import { signedHeaders } from './signature.js';
import { WebhookBook, type StoredWebhook } from './webhook-book.store.js';
import { shownIn, webhookChannel, webhookIn } from './webhook-claims.js';
import { WebhookHealth } from './webhook-health.store.js';
import { mayBeShown, type Shown } from './webhook.policy.js';
import { WEBHOOK_SETTINGS, type WebhookSettings } from './webhook.settings.js';

/** Part of what ids of changes derive from: never change it. */
const namespace = '0f3d3c0c-0b6a-4c43-9f0e-5a2a6b1d7e21';

/** However long somebody wants us to wait, ms. */
const mostWaitMs = 86_400_000;

/** Sends to webhooks, as Standard Webhooks has it, and switches those off that take nothing any more. */
@Injectable()
export class WebhookChannel implements Channel, OnApplicationShutdown {
  readonly name = webhookChannel;
  readonly parallel = 8;
  readonly limitMs = 15_000;
  readonly pauses: readonly number[];
  private readonly logger = new Logger('webhooks');
  private readonly sender: HttpSender;

  constructor(
    private readonly book: WebhookBook,
    private readonly health: WebhookHealth,
    private readonly noticing: Noticing,
    @Inject(WEBHOOK_SETTINGS) private readonly settings: WebhookSettings,
  ) {
    this.pauses = settings.pauses;
    this.sender = new HttpSender(new Addresses(settings));
  }

  async send({ target, content, about }: Delivery, signal: AbortSignal): Promise<SendOutcome> {
    const { orgId, id } = webhookIn(target);
    const webhook = await this.book.one(orgId, id);
    if (webhook === undefined) return { state: 'refused', detail: 'the webhook was deleted' };
    const flaw = about['type'] === 'test' ? undefined : whyNot(webhook, shownIn(about));
    if (flaw !== undefined) return { state: 'moot', detail: flaw };
    const signed = signedHeaders({ id: about['messageId']!, at: new Date(), body: content }, webhook.secrets);
    const headers = { 'content-type': 'application/json', 'user-agent': 'Deskstream-Webhooks/1', ...signed };
    const outcome = await this.sender.post(new URL(webhook.url), { headers, body: content, signal }).then(outcomeOf, failedBy);
    const as = webhook.updatedAt;
    // An address that is gone says nothing of the one that has taken its place meanwhile.
    if (outcome.state === 'gone' && (await this.book.one(orgId, id))?.updatedAt !== as) return { ...outcome, state: 'failed', as };
    return { ...outcome, as };
  }

  async judge(target: string, { isAnswering, isGone, as }: Verdict): Promise<Date | undefined> {
    if (isGone) return this.switchOff({ target, as }, 'gone', new Date());
    if (isAnswering) return void (await this.health.isSound(target));
    const since = await this.health.fails(target);
    return Date.now() - since.getTime() >= this.settings.switchOffAfterMs ? this.switchOff({ target, as }, 'failing', since) : undefined;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sender.close();
  }

  /** Told before it is stored: a crash in between tells it again. Who has changed the webhook since it was asked has it as they want it: it is judged anew. @returns when it was switched off */
  private async switchOff({ target, as }: { target: string; as: string | undefined }, reason: 'gone' | 'failing', since: Date): Promise<Date | undefined> {
    const { orgId, id } = webhookIn(target);
    const isAsked = (one: StoredWebhook) => one.id === id && one.updatedAt === as;
    const webhook = (await this.book.rules(orgId)).find(isAsked);
    if (webhook?.enabled !== true) return undefined;
    const changeId = v5(`${target}/${webhook.updatedAt}/${reason}`, namespace);
    const detail = reason === 'gone' ? 'It answered 410.' : `Nothing has come through since ${since.toISOString()}.`;
    await this.noticing.announce(orgId, { id: changeId, at: new Date(), data: { subject: 'webhook-disabled', name: webhook.name, detail } });
    const at = new Date();
    const off = (one: StoredWebhook): StoredWebhook => ({ ...one, enabled: false, switchedOff: { at: at.toISOString(), reason } });
    const { status } = await this.book.change(orgId, { id: changeId, hash: reason }, (webhooks) =>
      webhooks.some(isAsked) ? { rules: webhooks.map((one) => (isAsked(one) ? off(one) : one)), outcome: { status: 204, body: '' } } : absent,
    );
    if (status === absent.outcome.status) return undefined;
    this.logger.warn({ msg: 'a webhook was switched off', orgId, webhook: id, reason, since });
    return at;
  }
}

/** Why a webhook is not sent any more what was claimed for it; undefined where it is. */
function whyNot(webhook: StoredWebhook, shown: Shown): string | undefined {
  if (!webhook.enabled) return 'the webhook is switched off';
  return mayBeShown(webhook, shown) ? undefined : 'the webhook may not be sent this any more';
}

/** Any 2xx is taken, 410 wants nothing any more; everything else is tried again. */
function outcomeOf({ status, headers, text }: HttpAnswer): SendOutcome {
  if (status >= 200 && status < 300) return { state: 'delivered', detail: String(status) };
  const detail = `${status} ${printable(text).slice(0, 200)}`.trim();
  if (status === 410) return { state: 'gone', detail };
  const retryAfter = status === 429 || status === 503 ? retryAt(headers['retry-after']) : undefined;
  return { state: 'failed', detail, ...(retryAfter && { retryAfter }) };
}

/** Seconds, or a date (RFC 9110). */
function retryAt(value: string | string[] | undefined): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const at = /^\d{1,9}$/.test(value) ? Date.now() + Number(value) * 1_000 : Date.parse(value);
  return Number.isNaN(at) ? undefined : new Date(Math.min(at, Date.now() + mostWaitMs));
}

const printable = (text: string) => text.replace(/[\p{C}\s]+/gu, ' ');
