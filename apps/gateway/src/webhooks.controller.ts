import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, DeliveriesQuery, DeliveryId, NoQuery, ReplayInput, SecretRotation, Uuid, WebhookInput } from '#contracts';
import { administrator } from './administration.js';
import { Forwards } from './forwards.js';
import { Operation } from './operation.js';
import { webhookOperations } from './webhooks.operations.js';

const webhooks = '/v1/webhooks';

/** Systems that are told over HTTP what happens, kept by assignment-notification. */
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(private readonly forwards: Forwards) {}

  @Get()
  @Operation(webhookOperations.list)
  list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, webhooks);
  }

  @Post()
  @Operation(webhookOperations.create)
  create(@Body({ schema: WebhookInput }) _: WebhookInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, webhooks);
  }

  @Get(':id')
  @Operation(webhookOperations.get)
  get(@Param('id', { schema: Uuid }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${webhooks}/${id}`);
  }

  @Put(':id')
  @HttpCode(200)
  @Operation(webhookOperations.replace)
  replace(@Param('id', { schema: Uuid }) id: string, @Body({ schema: WebhookInput }) _: WebhookInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${webhooks}/${id}`);
  }

  @Delete(':id')
  @Operation(webhookOperations.delete)
  delete(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${webhooks}/${id}`);
  }

  @Post(':id/secrets')
  @Operation(webhookOperations.rotate)
  rotate(@Param('id', { schema: Uuid }) id: string, @Body({ schema: SecretRotation }) _: SecretRotation, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${webhooks}/${id}/secrets`);
  }

  @Post(':id/test')
  @HttpCode(202)
  @Operation(webhookOperations.test)
  test(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${webhooks}/${id}/test`);
  }

  @Get(':id/deliveries')
  @Operation(webhookOperations.deliveries)
  deliveries(@Param('id', { schema: Uuid }) id: string, @Query({ schema: DeliveriesQuery }) { after, limit, state }: DeliveriesQuery, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const query = new URLSearchParams({ after, limit: String(limit), ...(state && { state }) });
    return this.passed(request, reply, `${webhooks}/${id}/deliveries?${query.toString()}`);
  }

  @Post(':id/deliveries/:deliveryId/redeliver')
  @HttpCode(202)
  @Operation(webhookOperations.redeliver)
  redeliver(@Param('id', { schema: Uuid }) id: string, @Param('deliveryId', { schema: DeliveryId }) deliveryId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${webhooks}/${id}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`);
  }

  @Post(':id/replay')
  @HttpCode(202)
  @Operation(webhookOperations.replay)
  replay(@Param('id', { schema: Uuid }) id: string, @Body({ schema: ReplayInput }) _: ReplayInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${webhooks}/${id}/replay`);
  }

  @Delete(':id/replay')
  @HttpCode(202)
  @Operation(webhookOperations.stopReplay)
  stopReplay(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${webhooks}/${id}/replay`);
  }

  private async passed(request: FastifyRequest, reply: FastifyReply, path: string): Promise<void> {
    administrator(request);
    await this.forwards.pass({ request, reply }, path);
  }
}
