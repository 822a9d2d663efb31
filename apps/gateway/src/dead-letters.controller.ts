import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, DeadLetterId, DeadLetterPage, DeadLettersQuery, DeadLetterView, DeadLetterWhole, Discard, NoQuery } from '#contracts';
import { administrator, identityOf, markRepeat } from './administration.js';
import { afterOf, DeadLetters, placeAfter } from './dead-letters.js';
import { Operation } from './operation.js';

const forAdministrators = { tag: 'Dead letters', needs: 'administer' } as const;

/** Dead letters over REST, for administrators: what `npm run -s dead-letters` is for operators. */
@Controller('v1/dead-letters')
export class DeadLettersController {
  constructor(private readonly letters: DeadLetters) {}

  @Get()
  @Operation({
    ...forAdministrators,
    id: 'listDeadLetters',
    summary: 'List dead letters',
    description:
      'Records of the organisation that a service gave up on, in the order of their topics, for as long as they are kept (7 days). Where it cannot be told beyond doubt whose a record is (no JSON, too large, two organisations named), only operators see it.',
    answers: { 200: { description: 'A page of letters.', body: DeadLetterPage } },
    problems: ['forbidden', 'invalid-cursor', 'overloaded'],
  })
  async list(@Query({ schema: DeadLettersQuery }) { after, limit }: DeadLettersQuery, @Req() request: FastifyRequest): Promise<DeadLetterPage> {
    const { items, next } = await this.letters.page(administrator(request), placeAfter(after), limit);
    return { items, nextAfter: afterOf(next) };
  }

  @Get(':id')
  @Operation({
    ...forAdministrators,
    id: 'getDeadLetter',
    summary: 'Get a dead letter',
    answers: { 200: { description: 'The letter, with the record as it came.', body: DeadLetterWhole } },
    problems: ['forbidden', 'not-found', 'overloaded'],
  })
  get(@Param('id', { schema: DeadLetterId }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<DeadLetterWhole> {
    return this.letters.show(administrator(request), id);
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Operation({
    ...forAdministrators,
    id: 'replayDeadLetter',
    summary: 'Send a dead letter back',
    description: 'The record goes back to where it came from, as it was. One that went back before stays as it is: twice changes nothing. It is recorded who did it.',
    answers: { 200: { description: 'The letter, which is `replayed`.', body: DeadLetterView, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'invalid-transition', 'overloaded'],
  })
  replay(@Param('id', { schema: DeadLetterId }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.settle(id, { state: 'replaying' }, { request, reply });
  }

  @Post(':id/discard')
  @HttpCode(200)
  @Operation({
    ...forAdministrators,
    id: 'discardDeadLetter',
    summary: 'Put a dead letter aside for good',
    description: 'It needs nothing more; it stays where it is until it is kept no longer. It is recorded who did it, and why.',
    body: { reason: 'a load test' },
    answers: { 200: { description: 'The letter, which is `discarded`.', body: DeadLetterView, headers: ['Idempotency-Replayed'] } },
    problems: ['forbidden', 'not-found', 'invalid-transition', 'overloaded'],
  })
  discard(@Param('id', { schema: DeadLetterId }) id: string, @Body({ schema: Discard }) { reason }: Discard, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.settle(id, { state: 'discarded', reason }, { request, reply });
  }

  private async settle(id: string, wanted: { state: 'replaying' } | { state: 'discarded'; reason: string }, { request, reply }: { request: FastifyRequest; reply: FastifyReply }) {
    const asker = administrator(request);
    const identity = identityOf(request, `/v1/dead-letters/${id}/${wanted.state === 'replaying' ? 'replay' : 'discard'}`);
    const { letter, first } = await this.letters.settle(asker, id, { ...wanted, request: { id: identity.id, hash: identity.hash } });
    if (first) markRepeat(reply, first.hash, identity.hash);
    void reply.send(letter satisfies DeadLetterView);
  }
}
