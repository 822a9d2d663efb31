import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, type BodyOf, CountsQuery, ExportQuery, exportTypes, ListQuery, NoQuery, PageQuery, TicketId, TicketIdOrNumber, TicketQuery, TimelineQuery } from '#contracts';
import { completedCreate, markedAssistant, resolvedAssignee, withIds, type AtDoor } from '#domain';
import { commentAnswer, conversationAnswer, createdAnswer, goneAnswer, ticketAnswer, toolCallAnswer } from './answers.js';
import { Directory } from './directory.js';
import { Downloads } from './downloads.js';
import { Operation } from './operation.js';
import { Reads } from './reads.js';
import { ticketOperations } from './tickets.operations.js';
import { Writes } from './writes.js';

/** Tickets over REST (contract section 4): reads are asked of query-search, writes become commands. */
@Controller('v1/tickets')
export class TicketsController {
  constructor(
    private readonly reads: Reads,
    private readonly downloads: Downloads,
    private readonly writes: Writes,
    private readonly directory: Directory,
  ) {}

  @Get()
  @Operation(ticketOperations.list)
  list(@Query({ schema: ListQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, '/v1/tickets');
  }

  @Get('counts')
  @Operation(ticketOperations.counts)
  counts(@Query({ schema: CountsQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, '/v1/tickets/counts');
  }

  @Get('export')
  @RouteConfig({ serves: ['application/json', ...Object.values(exportTypes).map((type) => type.split(';')[0])] })
  @Operation(ticketOperations.export)
  export(@Query({ schema: ExportQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.downloads.pass({ request, reply }, '/v1/tickets/export');
  }

  @Get(':idOrNumber')
  @Operation(ticketOperations.detail)
  detail(
    @Param('idOrNumber', { schema: TicketIdOrNumber }) ticket: string | number,
    @Query({ schema: TicketQuery }) _: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.reads.pass({ request, reply }, `/v1/tickets/${ticket}`);
  }

  @Get(':id/transitions')
  @Operation(ticketOperations.transitions)
  transitions(@Param('id', { schema: TicketId }) ticketId: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, `/v1/tickets/${ticketId}/transitions`);
  }

  @Get(':id/comments')
  @Operation(ticketOperations.comments)
  comments(@Param('id', { schema: TicketId }) ticketId: string, @Query({ schema: PageQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, `/v1/tickets/${ticketId}/comments`);
  }

  @Get(':id/timeline')
  @Operation(ticketOperations.timeline)
  timeline(@Param('id', { schema: TicketId }) ticketId: string, @Query({ schema: TimelineQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, `/v1/tickets/${ticketId}/timeline`);
  }

  @Get(':id/conversation')
  @Operation(ticketOperations.conversation)
  conversation(@Param('id', { schema: TicketId }) ticketId: string, @Query({ schema: PageQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, `/v1/tickets/${ticketId}/conversation`);
  }

  @Post()
  @Operation(ticketOperations.create)
  async create(@Body({ schema: bodies.create }) input: BodyOf<'create'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const door = await this.door(request);
    const data = (commandId: string) => completedCreate(input, { ...door, commandId });
    return this.writes.perform({ request, reply }, { type: 'ticket.create.v1', data }, createdAnswer);
  }

  @Patch(':id')
  @Operation(ticketOperations.edit)
  async edit(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.patch }) input: BodyOf<'patch'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const data = markedAssistant(input, await this.door(request));
    return this.writes.perform({ request, reply }, { type: 'ticket.update-details.v1', ticketId, data }, ticketAnswer);
  }

  @Delete(':id')
  @Operation(ticketOperations.delete)
  delete(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.delete.v1', ticketId, data: {} }, goneAnswer);
  }

  @Post(':id/restore')
  @Operation(ticketOperations.restore)
  restore(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.restore.v1', ticketId, data: {} }, ticketAnswer);
  }

  @Post(':id/transitions')
  @Operation(ticketOperations.move)
  move(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.transition }) data: BodyOf<'transition'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.change-status.v1', ticketId, data }, ticketAnswer);
  }

  @Put(':id/assignee')
  @Operation(ticketOperations.assign)
  async assign(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.assignee }) input: BodyOf<'assignee'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const data = resolvedAssignee(input, await this.door(request));
    return this.writes.perform({ request, reply }, { type: 'ticket.assign.v1', ticketId, data }, ticketAnswer);
  }

  @Delete(':id/assignee')
  @Operation(ticketOperations.release)
  release(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.assign.v1', ticketId, data: { to: null } }, ticketAnswer);
  }

  @Post(':id/take')
  @Operation(ticketOperations.take)
  take(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { type, id: me, name } = request.caller.principal.actor;
    const to = { type: type === 'agent' ? type : ('member' as const), id: me, name };
    return this.writes.perform({ request, reply }, { type: 'ticket.assign.v1', ticketId, data: { to } }, ticketAnswer);
  }

  @Post(':id/comments')
  @Operation(ticketOperations.comment)
  comment(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.comment }) { body }: BodyOf<'comment'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.add-comment.v1', ticketId, data: { kind: 'comment', body } }, commentAnswer);
  }

  @Post(':id/notes')
  @Operation(ticketOperations.note)
  note(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.comment }) { body }: BodyOf<'comment'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.add-comment.v1', ticketId, data: { kind: 'note', body } }, commentAnswer);
  }

  @Post(':id/replies')
  @Operation(ticketOperations.reply)
  reply(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.comment }) { body }: BodyOf<'comment'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.add-comment.v1', ticketId, data: { kind: 'reply', body } }, commentAnswer);
  }

  @Post(':id/conversation')
  @Operation(ticketOperations.append)
  append(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.conversation }) { messages }: BodyOf<'conversation'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const data = (commandId: string) => ({ messages: withIds(messages, commandId) });
    return this.writes.perform({ request, reply }, { type: 'ticket.append-conversation.v1', ticketId, data }, conversationAnswer);
  }

  @Post(':id/tool-calls')
  @Operation(ticketOperations.recordToolCall)
  recordToolCall(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.toolCall }) data: BodyOf<'toolCall'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.record-tool-call.v1', ticketId, data }, toolCallAnswer);
  }

  private async door({ caller: { principal } }: FastifyRequest): Promise<Omit<AtDoor, 'commandId'>> {
    return { roster: await this.directory.roster(principal.orgId), caller: principal.actor };
  }
}
