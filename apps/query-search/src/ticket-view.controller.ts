import { Controller, Get, Header, Param, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CountsQuery, ListQuery, NoQuery, PageQuery, TicketId, TicketIdOrNumber, TicketQuery, TimelineQuery, type Comment, type Message, type Page, type Status, type TicketCounts } from '#contracts';
import { allowedTransitions } from '#domain';
import { ReaderGuard } from './reader.guard.js';
import { listAnswer, listLinks, pageAnswer, ticketAnswer } from './ticket-answers.js';
import type { ReadModel } from './generations/read-model.js';
import { Readings } from './generations/readings.js';
import type { TicketRef } from './ticket-view.store.js';

const json = ['content-type', 'application/json; charset=utf-8'] as const;

/** What gateways ask about tickets, under the public paths. */
@Controller('v1/tickets')
@UseGuards(ReaderGuard)
export class TicketViewController {
  constructor(private readonly readings: Readings<ReadModel>) {}

  @Get()
  @Header(...json)
  async list(@Query({ schema: ListQuery }) query: ListQuery, @Req() { reader, url }: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer> {
    const page = await this.readings.read(({ tickets }) => tickets.list(reader, query));
    void reply.header('link', listLinks(url, query, page));
    return listAnswer(reader.principal, query, page);
  }

  @Get('counts')
  counts(@Query({ schema: CountsQuery }) query: CountsQuery, @Req() { reader }: FastifyRequest): Promise<TicketCounts> {
    return this.readings.read(({ tickets }) => tickets.counts(reader, query));
  }

  @Get(':idOrNumber')
  @Header(...json)
  async ticket(
    @Param('idOrNumber', { schema: TicketIdOrNumber }) ref: TicketRef,
    @Query({ schema: TicketQuery }) moment: TicketQuery,
    @Req() { reader }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const seen = await this.readings.read(({ tickets }) => tickets.ticket(reader, ref, moment));
    void reply.header('etag', `"${seen.version}"`);
    return ticketAnswer(reader.principal, seen);
  }

  @Get(':id/transitions')
  async transitions(
    @Param('id', { schema: TicketId }) id: string,
    @Query({ schema: NoQuery }) _: unknown,
    @Req() { reader }: FastifyRequest,
  ): Promise<{ status: Status; allowed: Status[] }> {
    const { status } = await this.readings.read(({ tickets }) => tickets.ticket(reader, id));
    return { status, allowed: allowedTransitions(reader.principal, { status }) };
  }

  @Get(':id/comments')
  comments(@Param('id', { schema: TicketId }) id: string, @Query({ schema: PageQuery }) page: PageQuery, @Req() { reader }: FastifyRequest): Promise<Page<Comment>> {
    return this.readings.read(({ tickets }) => tickets.comments(reader, id, page));
  }

  @Get(':id/timeline')
  @Header(...json)
  async timeline(@Param('id', { schema: TicketId }) id: string, @Query({ schema: TimelineQuery }) page: TimelineQuery, @Req() { reader }: FastifyRequest): Promise<string> {
    return pageAnswer(await this.readings.read(({ tickets }) => tickets.timeline(reader, id, page)));
  }

  @Get(':id/conversation')
  conversation(@Param('id', { schema: TicketId }) id: string, @Query({ schema: PageQuery }) page: PageQuery, @Req() { reader }: FastifyRequest): Promise<Page<Message>> {
    return this.readings.read(({ tickets }) => tickets.conversation(reader, id, page));
  }
}
