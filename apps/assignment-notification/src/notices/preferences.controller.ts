import { Body, Controller, Get, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { NoQuery, NoticePreferences } from '#contracts';
import { AssertionGuard } from '#internal';
import { asking, changeOf, markRepeat } from '../changes.js';
import { person } from './notice-reads.js';
import { pageIn, Preferences, preferencesKey } from './preferences.store.js';

/** How the caller wants to be told. */
@Controller('v1/notification-preferences')
@UseGuards(AssertionGuard)
export class PreferencesController {
  constructor(private readonly preferences: Preferences) {}

  @Get()
  async read(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<NoticePreferences> {
    const { orgId, memberId } = person(request);
    return pageIn(await asking(() => this.preferences.rules(preferencesKey(orgId, memberId))));
  }

  @Put()
  async replace(@Body({ schema: NoticePreferences }) preferences: NoticePreferences, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId, memberId } = person(request);
    const wanted = changeOf(request);
    const outcome = { status: 200, body: JSON.stringify(preferences) };
    const { body, hash, isRepeat } = await asking(() => this.preferences.change(preferencesKey(orgId, memberId), wanted, () => ({ rules: [preferences], outcome })));
    if (isRepeat) markRepeat(reply, hash, wanted.hash);
    void reply.code(200).header('content-type', 'application/json; charset=utf-8').send(body);
  }
}
