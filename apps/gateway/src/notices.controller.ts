import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, NoQuery, NoticePreferences, NoticesQuery, ReadNotices, Uuid } from '#contracts';
import { ProblemError } from '#observability';
import { Forwards } from './forwards.js';
import { noticeOperations } from './notices.operations.js';
import { Operation } from './operation.js';

const [notifications, preferences] = ['/v1/notifications', '/v1/notification-preferences'];

/** What the caller is told, and how: kept by assignment-notification. */
@Controller('v1')
export class NoticesController {
  constructor(private readonly forwards: Forwards) {}

  @Get('notifications')
  @Operation(noticeOperations.list)
  list(@Query({ schema: NoticesQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const start = request.url.indexOf('?');
    return this.passed(request, reply, start < 0 ? notifications : notifications + request.url.slice(start));
  }

  @Get('notifications/unread')
  @Operation(noticeOperations.unread)
  unread(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${notifications}/unread`);
  }

  @Post('notifications/read')
  @HttpCode(204)
  @Operation(noticeOperations.readAll)
  readAll(@Body({ schema: ReadNotices }) _: ReadNotices, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${notifications}/read`);
  }

  @Post('notifications/:id/read')
  @HttpCode(204)
  @Operation(noticeOperations.readOne)
  readOne(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${notifications}/${id}/read`);
  }

  @Get('notification-preferences')
  @Operation(noticeOperations.preferences)
  preferences(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, preferences);
  }

  @Put('notification-preferences')
  @HttpCode(200)
  @Operation(noticeOperations.setPreferences)
  setPreferences(@Body({ schema: NoticePreferences }) _: NoticePreferences, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, preferences);
  }

  /** Only people are told anything. */
  private async passed(request: FastifyRequest, reply: FastifyReply, path: string): Promise<void> {
    if (request.caller.principal.actor.type !== 'member') throw new ProblemError('forbidden', 'This needs role member.', { missing: 'role member' });
    await this.forwards.pass({ request, reply }, path);
  }
}
