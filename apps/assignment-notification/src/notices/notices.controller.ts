import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, NoQuery, NoticesQuery, ReadNotices, Uuid, type NoticePage, type UnreadNotices } from '#contracts';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import { asking, changeOf, markRepeat } from '../changes.js';
import { NoticeReads, person } from './notice-reads.js';
import { ReadMarks } from './read-marks.store.js';

/** What the caller is told. Nobody is told what another one is. */
@Controller('v1/notifications')
@UseGuards(AssertionGuard)
export class NoticesController {
  constructor(
    private readonly reads: NoticeReads,
    private readonly marks: ReadMarks,
  ) {}

  @Get()
  async list(@Query({ schema: NoticesQuery }) query: NoticesQuery, @Req() request: FastifyRequest): Promise<NoticePage> {
    const who = person(request);
    return asking(() => this.reads.page(who, query));
  }

  @Get('unread')
  async unread(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<UnreadNotices> {
    const who = person(request);
    return { count: await asking(() => this.reads.unread(who)) };
  }

  @Post('read')
  @HttpCode(204)
  async readAll(@Body({ schema: ReadNotices }) { upTo }: ReadNotices, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.mark({ request, reply }, upTo, true);
  }

  @Post(':id/read')
  @HttpCode(204)
  async readOne(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.mark({ request, reply }, id, false);
  }

  private async mark({ request, reply }: { request: FastifyRequest; reply: FastifyReply }, notice: string | undefined, withOlder: boolean): Promise<void> {
    const who = person(request);
    const wanted = changeOf(request);
    const { isThere, hash, isRepeat } = await asking(() => this.marks.make(who, wanted, { notice, withOlder }));
    if (isRepeat) markRepeat(reply, hash, wanted.hash);
    if (!isThere) throw new ProblemError('not-found', 'There is no such notification.', {}, isRepeat ? { 'idempotency-replayed': 'true' } : {});
    void reply.code(204).send();
  }
}
