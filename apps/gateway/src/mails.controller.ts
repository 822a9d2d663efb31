import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AssistantDeliveryInput, bodies, inboundEmailActor, maxInboundEmailBytes, NoQuery, RequesterUpdatesInput, Slug, Uuid, type Principal } from '#contracts';
import { ProblemError } from '#observability';
import { administrator } from './administration.js';
import { Forwards } from './forwards.js';
import { MailSignatures } from './mail-signatures.js';
import { mailOperations } from './mails.operations.js';
import { Operation } from './operation.js';

/** Mails belong to no organisation before they are read; that is the service's to find out. */
const postman: Principal = { orgId: 'any', actor: inboundEmailActor, access: { assistantIds: [] } };

/** What goes to requesters and comes from them, beside tickets themselves: kept by assignment-notification. */
@Controller('v1')
export class MailsController {
  constructor(
    private readonly forwards: Forwards,
    private readonly signatures: MailSignatures,
  ) {}

  @Post('tickets/:id/replies/:commentId/send')
  @HttpCode(202)
  @Operation(mailOperations.send)
  async send(@Param('id', { schema: Uuid }) id: string, @Param('commentId', { schema: Uuid }) commentId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.forwards.pass({ request, reply }, `/v1/tickets/${id}/replies/${commentId}/send`);
  }

  @Get('assistants/:id/requester-updates')
  @Operation(mailOperations.readUpdates)
  readUpdates(@Param('id', { schema: Slug }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.ofAssistant(request, reply, `${id}/requester-updates`);
  }

  @Put('assistants/:id/requester-updates')
  @HttpCode(200)
  @Operation(mailOperations.writeUpdates)
  writeUpdates(@Param('id', { schema: Slug }) id: string, @Body({ schema: RequesterUpdatesInput }) _: RequesterUpdatesInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.ofAssistant(request, reply, `${id}/requester-updates`);
  }

  @Get('assistants/:id/delivery')
  @Operation(mailOperations.readDelivery)
  readDelivery(@Param('id', { schema: Slug }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.ofAssistant(request, reply, `${id}/delivery`);
  }

  @Put('assistants/:id/delivery')
  @HttpCode(200)
  @Operation(mailOperations.writeDelivery)
  writeDelivery(@Param('id', { schema: Slug }) id: string, @Body({ schema: AssistantDeliveryInput }) _: AssistantDeliveryInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.ofAssistant(request, reply, `${id}/delivery`);
  }

  @Delete('assistants/:id/delivery')
  @Operation(mailOperations.deleteDelivery)
  deleteDelivery(@Param('id', { schema: Slug }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.ofAssistant(request, reply, `${id}/delivery`);
  }

  @Post('inbound-email')
  @HttpCode(202)
  @RouteConfig({ isOpen: true, isSigned: true, rawBytes: maxInboundEmailBytes })
  @Operation(mailOperations.inbound)
  async inbound(@Req() { headers, body }: FastifyRequest, @Res() reply: FastifyReply) {
    const bytes = Buffer.isBuffer(body) ? (body as Buffer<ArrayBufferLike>) : Buffer.alloc(0);
    this.signatures.demand(headers, bytes);
    if (!/^message\/rfc822\s*(;|$)/i.test(headers['content-type'] ?? '')) throw new ProblemError('unsupported-media-type', 'Mails are handed in as they came, as message/rfc822.');
    await this.forwards.handOn(reply, '/v1/inbound-email', { principal: postman, body: bytes, type: 'message/rfc822' });
  }

  private async ofAssistant(request: FastifyRequest, reply: FastifyReply, path: string): Promise<void> {
    administrator(request);
    await this.forwards.pass({ request, reply }, `/v1/assistants/${path}`);
  }
}
