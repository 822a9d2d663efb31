import { randomBytes } from 'node:crypto';
import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, maxWebhooks, maxWebhookSecrets, NoQuery, SecretRotation, Uuid, WebhookInput, type ValidationError, type Webhook, type Webhooks } from '#contracts';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import { absent, changeBook, refusal } from '../book.changes.js';
import type { Change } from '../book.store.js';
import { administrator, asking, changeOf } from '../changes.js';
import { Deliveries } from '../deliveries/deliveries.store.js';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { Addresses, hostOf } from './addresses.js';
import { Replays } from './replays.store.js';
import { WebhookBook, type StoredSecret, type StoredWebhook } from './webhook-book.store.js';
import { targetOf } from './webhook-claims.js';
import { WebhookHealth } from './webhook-health.store.js';
import { WEBHOOK_SETTINGS, type WebhookSettings } from './webhook.settings.js';
import { webhookView, type Circumstances } from './webhook.views.js';

/** What is changed, and what comes of it. */
interface Wanted {
  decide: (webhooks: readonly StoredWebhook[]) => Change<StoredWebhook>;
  /** Done again in a repeat. */
  then?: (body: string) => Promise<void>;
  key?: string;
}

/** Webhooks of an organisation, for its administrators. Secrets leave it once, in the answer to who made them. */
@Controller('v1/webhooks')
@UseGuards(AssertionGuard)
export class WebhooksController {
  private readonly addresses: Addresses;

  constructor(
    private readonly book: WebhookBook,
    private readonly health: WebhookHealth,
    private readonly replays: Replays,
    private readonly deliveries: Deliveries,
    private readonly directory: DirectoryStore,
    @Inject(WEBHOOK_SETTINGS) settings: WebhookSettings,
  ) {
    this.addresses = new Addresses(settings);
  }

  @Get()
  async list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<Webhooks> {
    const { orgId } = administrator(request);
    return asking(async () => {
      const webhooks = await this.book.rules(orgId);
      const circumstances = await this.circumstances(orgId, webhooks);
      return { items: webhooks.map((one) => webhookView(orgId, one, circumstances)) };
    });
  }

  @Get(':id')
  async get(@Param('id', { schema: Uuid }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<Webhook> {
    const found = (await this.list({}, request)).items.find((one) => one.id === id);
    if (found === undefined) throw new ProblemError('not-found', 'There is no such webhook.');
    return found;
  }

  @Post()
  async create(@Body({ schema: WebhookInput }) input: WebhookInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const people = await this.people(orgId);
    const now = new Date().toISOString();
    const { key, secret } = newSecret(now);
    const webhook: StoredWebhook = { id: changeOf(request).id, ...input, url: new URL(input.url).href, createdAt: now, updatedAt: now, switchedOff: null, secrets: [secret] };
    await this.change({ request, reply }, {
      key,
      decide: (webhooks) => {
        if (webhooks.length >= maxWebhooks) throw refusal({ pointer: '', code: 'too_many', message: `the organisation has ${maxWebhooks} webhooks: delete some first` });
        this.demandSense(input, people);
        return { rules: [...webhooks, webhook], outcome: { status: 201, body: JSON.stringify(webhookView(orgId, webhook, unknown)) } };
      },
    });
  }

  @Put(':id')
  async replace(@Param('id', { schema: Uuid }) id: string, @Body({ schema: WebhookInput }) input: WebhookInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const people = await this.people(orgId);
    const circumstances = await asking(() => this.circumstances(orgId, [{ id }]));
    await this.change({ request, reply }, {
      decide: (webhooks) => {
        const before = webhooks.find((one) => one.id === id);
        if (before === undefined) return absent;
        this.demandSense(input, people);
        const { createdAt, secrets, switchedOff } = before;
        const webhook: StoredWebhook = { id, ...input, url: new URL(input.url).href, createdAt, updatedAt: new Date().toISOString(), secrets, switchedOff: input.enabled ? null : switchedOff };
        const view = webhookView(orgId, webhook, { ...circumstances, ...(input.enabled && { failing: new Map() }) });
        return { rules: put(webhooks, webhook), outcome: { status: 200, body: JSON.stringify(view) } };
      },
      then: () => this.settle(orgId, id),
    });
  }

  @Delete(':id')
  async delete(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    await this.change({ request, reply }, {
      decide: (webhooks) => (webhooks.some((one) => one.id === id) ? { rules: webhooks.filter((one) => one.id !== id), outcome: { status: 204, body: '' } } : absent),
      then: () => this.settle(orgId, id),
    });
  }

  @Post(':id/secrets')
  async rotate(@Param('id', { schema: Uuid }) id: string, @Body({ schema: SecretRotation }) { overlapSeconds }: SecretRotation, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const circumstances = await asking(() => this.circumstances(orgId, [{ id }]));
    const now = new Date();
    const { key, secret } = newSecret(now.toISOString());
    const validUntil = new Date(now.getTime() + overlapSeconds * 1_000).toISOString();
    await this.change({ request, reply }, {
      key,
      decide: (webhooks) => {
        const before = webhooks.find((one) => one.id === id);
        if (before === undefined) return absent;
        const webhook = { ...before, updatedAt: now.toISOString(), secrets: [secret, ...older(before.secrets, { validUntil, now: now.toISOString() })] };
        if (webhook.secrets.length > maxWebhookSecrets) throw refusal({ pointer: '', code: 'too_many', message: `${maxWebhookSecrets} secrets are in use: wait for the oldest one's end` });
        return { rules: put(webhooks, webhook), outcome: { status: 201, body: JSON.stringify(webhookView(orgId, webhook, circumstances)) } };
      },
    });
  }

  private people(orgId: string): Promise<People> {
    return asking(() => this.directory.people(orgId));
  }

  private async circumstances(orgId: string, webhooks: readonly Pick<StoredWebhook, 'id'>[]): Promise<Circumstances> {
    const targets = webhooks.map(({ id }) => targetOf(orgId, id));
    const [failing, replays] = await Promise.all([this.health.failing(targets), this.replays.of(targets)]);
    return { failing, replays };
  }

  private async change({ request, reply }: { request: FastifyRequest; reply: FastifyReply }, { decide, then = async () => undefined, key }: Wanted): Promise<void> {
    const { orgId } = administrator(request);
    const shownOnce = key === undefined ? {} : { shownOnce: { secret: `whsec_${key}` } };
    await changeBook(this.book, { one: 'webhook', most: maxWebhooks }, { orgId, wanted: changeOf(request), decide, then, ...shownOnce, reply });
  }

  /** Of a webhook as it is by now: one that is on is judged anew, one that is off gets nothing more. */
  private async settle(orgId: string, id: string): Promise<void> {
    const target = targetOf(orgId, id);
    const isOn = (await this.book.rules(orgId)).some((one) => one.id === id && one.enabled);
    if (isOn) return this.health.isSound(target);
    await this.replays.stop(target, new Date().toISOString());
    await this.deliveries.drop(target, new Date());
  }

  /** What no schema can say. Where a name leads is looked at before each delivery. @throws ProblemError */
  private demandSense({ url, assistantIds = [] }: WebhookInput, { assistants }: People): void {
    const errors = assistantIds.flatMap((id, i) => (assistants.has(id) ? [] : [{ pointer: `/assistantIds/${i}`, code: 'unknown_assistant', message: 'must be an assistant of the organisation' }]));
    const flaw = this.urlFlaw(new URL(url));
    if (flaw !== undefined || errors.length > 0) throw refusal(...(flaw ? [flaw] : []), ...errors);
  }

  private urlFlaw(url: URL): ValidationError | undefined {
    if (url.protocol !== 'https:' && !this.addresses.mayBePlain(url)) return { pointer: '/url', code: 'bad_url', message: 'must begin with https://' };
    if (this.addresses.mayBeAt(hostOf(url))) return undefined;
    return { pointer: '/url', code: 'private_address', message: 'must be an address that everybody may reach' };
  }
}

const unknown: Circumstances = { failing: new Map(), replays: new Map() };

const put = (webhooks: readonly StoredWebhook[], webhook: StoredWebhook) => webhooks.map((one) => (one.id === webhook.id ? webhook : one));

function newSecret(createdAt: string): { key: string; secret: StoredSecret } {
  const key = randomBytes(32).toString('base64');
  return { key, secret: { key, createdAt, validUntil: null } };
}

/** Those that stay valid beside a new one: none is used for longer than was said when it was replaced. */
const older = (secrets: readonly StoredSecret[], { validUntil, now }: { validUntil: string; now: string }): StoredSecret[] =>
  secrets.map((one) => ({ ...one, validUntil: one.validUntil ?? validUntil })).filter((one) => one.validUntil > now);
