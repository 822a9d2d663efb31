import { Body, Controller, Delete, Get, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, DeliveriesQuery, DeliveryId, maxWebhooks, ReplayInput, Uuid, type RequestedDelivery, type StoppedReplay, type WebhookDeliveries, type WebhookReplay, type WebhookTest } from '#contracts';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import { absent, changeBook, refusal } from '../book.changes.js';
import { administrator, asking, changeOf } from '../changes.js';
import { Deliveries } from '../deliveries/deliveries.store.js';
import type { Delivery } from '../deliveries/delivery.js';
import { Replayer } from './replayer.js';
import { Replays } from './replays.store.js';
import { WebhookBook, type StoredWebhook } from './webhook-book.store.js';
import { targetOf } from './webhook-claims.js';
import { deliveryView, placeBehind, placeIn } from './webhook.views.js';

type Exchange = { request: FastifyRequest; reply: FastifyReply };

/** What a webhook is sent, and what can be asked for beside it. */
@Controller('v1/webhooks')
@UseGuards(AssertionGuard)
export class WebhookDeliveriesController {
  constructor(
    private readonly book: WebhookBook,
    private readonly deliveries: Deliveries,
    private readonly replays: Replays,
    private readonly replayer: Replayer,
  ) {}

  @Get(':id/deliveries')
  async list(@Param('id', { schema: Uuid }) id: string, @Query({ schema: DeliveriesQuery }) { after, limit, state }: DeliveriesQuery, @Req() request: FastifyRequest): Promise<WebhookDeliveries> {
    const { orgId } = administrator(request);
    const before = placeIn(after);
    return asking(async () => {
      await this.demandWebhook(orgId, id);
      const found = await this.deliveries.list(orgId, targetOf(orgId, id), { limit: limit + 1, ...(state && { state }), ...(before && { before }) });
      const items = found.slice(0, limit);
      return { items: items.map(deliveryView), nextAfter: found.length > limit ? placeBehind(items.at(-1)!) : null };
    });
  }

  @Post(':id/deliveries/:deliveryId/redeliver')
  async redeliver(@Param('id', { schema: Uuid }) id: string, @Param('deliveryId', { schema: DeliveryId }) deliveryId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const target = targetOf(orgId, id);
    const find = () => this.deliveries.find(orgId, target, `${target}/${deliveryId}`);
    const found = await asking(find);
    await this.ask({ request, reply }, id, {
      decide: (webhook) => {
        if (found === null) throw new ProblemError('not-found', 'There is no such delivery.');
        demandOn(webhook);
        return { id: deliveryId, messageId: found.about['messageId']!, requestedAt: new Date().toISOString() } satisfies RequestedDelivery;
      },
      then: async ({ requestedAt }) => {
        const now = await find();
        if (now !== null && !isUnderWay(now, requestedAt)) await this.deliveries.again(orgId, target, now._id);
      },
    });
  }

  @Post(':id/test')
  async test(@Param('id', { schema: Uuid }) webhookId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const target = targetOf(orgId, webhookId);
    const messageId = `test_${changeOf(request).id}`;
    await this.ask({ request, reply }, webhookId, {
      decide: () => ({ id: messageId, messageId, requestedAt: new Date().toISOString() }) satisfies RequestedDelivery,
      then: ({ requestedAt }) => {
        const content = JSON.stringify({ id: messageId, type: 'test', at: requestedAt, webhookId } satisfies WebhookTest);
        return this.deliveries.claim([{ id: `${target}/${messageId}`, orgId, target, queue: messageId, seq: 1, content, about: { type: 'test', messageId } }]);
      },
    });
  }

  @Post(':id/replay')
  async replay(@Param('id', { schema: Uuid }) id: string, @Body({ schema: ReplayInput }) { from }: ReplayInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const { id: replayId } = changeOf(request);
    await this.ask({ request, reply }, id, {
      decide: (webhook) => {
        const startedAt = new Date().toISOString();
        demandOn(webhook);
        if (from >= startedAt) throw refusal({ pointer: '/from', code: 'not_past', message: 'must lie in the past' });
        return { id: replayId, from, state: 'running', startedAt, endedAt: null, progress: 0, events: 0 } satisfies WebhookReplay;
      },
      then: async (started) => {
        await this.replays.begin(targetOf(orgId, id), started);
        this.replayer.wake();
      },
    });
  }

  @Delete(':id/replay')
  async stop(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const target = targetOf(orgId, id);
    await this.ask({ request, reply }, id, { decide: (): StoppedReplay => ({ stoppedAt: new Date().toISOString() }), then: ({ stoppedAt }) => this.replays.stop(target, stoppedAt) });
  }

  /** Answers what is asked of a webhook with 202, and has it done: again in a repeat, by what was answered first. */
  private async ask<T extends object>({ request, reply }: Exchange, id: string, { decide, then }: { decide: (webhook: StoredWebhook) => T; then: (answer: T) => Promise<void> }): Promise<void> {
    const { orgId } = administrator(request);
    await changeBook(this.book, { one: 'webhook', most: maxWebhooks }, {
      orgId,
      wanted: changeOf(request),
      decide: (webhooks) => {
        const webhook = webhooks.find((one) => one.id === id);
        const answer = webhook && decide(webhook);
        return answer === undefined ? absent : { outcome: { status: 202, body: JSON.stringify(answer) } };
      },
      then: async (body) => (body === '' ? undefined : then(JSON.parse(body) as T)),
      reply,
    });
  }

  private async demandWebhook(orgId: string, id: string): Promise<void> {
    if (!(await this.book.rules(orgId)).some((one) => one.id === id)) throw new ProblemError('not-found', 'There is no such webhook.');
  }
}

function demandOn({ enabled }: StoredWebhook): void {
  if (!enabled) throw refusal({ pointer: '', code: 'switched_off', message: 'the webhook is switched off: enable it first' });
}

/** Whether it was sent since, or is about to be. */
const isUnderWay = ({ state, attempts }: Delivery, since: string) => state === 'waiting' ? attempts.length === 0 : attempts.some(({ at }) => at.toISOString() >= since);
