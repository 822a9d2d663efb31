import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { bodies, CountsQuery, type Assignee, ExportQuery, exportTypes, ListQuery, NoQuery, PageQuery, TicketId, TicketIdOrNumber, TicketQuery, TimelineQuery } from '#contracts';
import { commentAnswer, conversationAnswer, createdAnswer, goneAnswer, ticketAnswer, toolCallAnswer } from './answers.js';
import { withIds } from './command-ids.js';
import { Directory } from './directory.js';
import { Downloads } from './downloads.js';
import { Operation } from './operation.js';
import { Reads } from './reads.js';
import { ticketOperations } from './tickets.operations.js';
import { Writes } from './writes.js';

type Input<K extends keyof typeof bodies> = z.infer<(typeof bodies)[K]>;

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
  @RouteConfig({ serves: Object.values(exportTypes).map((type) => type.split(';')[0]) })
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
  async create(@Body({ schema: bodies.create }) input: Input<'create'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { assignee: wanted, conversation, ...data } = input;
    const assigned = wanted && (await this.assignee(request, wanted));
    const filed = await this.filed(request, data);
    const parts = (commandId: string) => ({
      ...filed,
      ...(assigned && { assignee: assigned.to, ...(assigned.unknownAssignee && { unknownAssignee: assigned.unknownAssignee }) }),
      ...(conversation && { conversation: { messages: withIds(conversation.messages, commandId) } }),
    });
    return this.writes.perform({ request, reply }, { type: 'ticket.create.v1', data: parts }, createdAnswer);
  }

  @Patch(':id')
  @Operation(ticketOperations.edit)
  async edit(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.patch }) input: Input<'patch'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const data = await this.filed(request, input);
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
  move(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.transition }) data: Input<'transition'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.change-status.v1', ticketId, data }, ticketAnswer);
  }

  @Put(':id/assignee')
  @Operation(ticketOperations.assign)
  async assign(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.assignee }) input: Input<'assignee'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const data = await this.assignee(request, input);
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
  comment(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.comment }) { body }: Input<'comment'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.add-comment.v1', ticketId, data: { kind: 'comment', body } }, commentAnswer);
  }

  @Post(':id/notes')
  @Operation(ticketOperations.note)
  note(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.comment }) { body }: Input<'comment'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.add-comment.v1', ticketId, data: { kind: 'note', body } }, commentAnswer);
  }

  @Post(':id/replies')
  @Operation(ticketOperations.reply)
  reply(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.comment }) { body }: Input<'comment'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.add-comment.v1', ticketId, data: { kind: 'reply', body } }, commentAnswer);
  }

  @Post(':id/conversation')
  @Operation(ticketOperations.append)
  append(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.conversation }) { messages }: Input<'conversation'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const data = (commandId: string) => ({ messages: withIds(messages, commandId) });
    return this.writes.perform({ request, reply }, { type: 'ticket.append-conversation.v1', ticketId, data }, conversationAnswer);
  }

  @Post(':id/tool-calls')
  @Operation(ticketOperations.recordToolCall)
  recordToolCall(@Param('id', { schema: TicketId }) ticketId: string, @Body({ schema: bodies.toolCall }) data: Input<'toolCall'>, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.writes.perform({ request, reply }, { type: 'ticket.record-tool-call.v1', ticketId, data }, toolCallAnswer);
  }

  /** Who is meant, by name. Nobody of that name is refused where the command is decided, since a repeat must meet its first answer. */
  private async assignee({ caller: { principal } }: FastifyRequest, wanted: Input<'assignee'>): Promise<{ to: Assignee; unknownAssignee?: true }> {
    const known = (await this.directory.roster(principal.orgId)).assignee(wanted, principal.actor);
    return known ? { to: known } : { to: { ...wanted, name: '' }, unknownAssignee: true };
  }

  /** The data, marked when there is no such assistant to file the ticket under; refused as an unknown assignee is. */
  private async filed<T extends { assistantId?: string | null | undefined }>({ caller: { principal } }: FastifyRequest, data: T): Promise<T & { unknownAssistant?: true }> {
    if (data.assistantId == null) return data;
    const known = (await this.directory.roster(principal.orgId)).assignee({ type: 'agent', id: data.assistantId }, principal.actor);
    return known ? data : { ...data, unknownAssistant: true };
  }
}
