import { Controller, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { inboundEmailActor, type InboundEmailAnswer } from '#contracts';
import { AssertionGuard } from '#internal';
import { Fault } from '#messaging';
import { ProblemError } from '#observability';
import { refusal } from '../book.changes.js';
import { asking } from '../changes.js';
import { InboundMail, NotTaken } from './inbound-mail.js';
import { UnreadableMail } from './mail.reader.js';

/** Takes mails that the gateway hands on, once it has seen that who sends them may. */
@Controller('v1/inbound-email')
@UseGuards(AssertionGuard)
export class InboundMailController {
  constructor(private readonly inbound: InboundMail) {}

  @Post()
  @HttpCode(202)
  async take(@Req() { principal, body }: FastifyRequest): Promise<InboundEmailAnswer> {
    if (principal.actor.type !== 'system' || principal.actor.id !== inboundEmailActor.id) throw new ProblemError('forbidden', 'This is for mail servers.');
    if (!(body instanceof Buffer)) throw refusal({ pointer: '', code: 'not_a_mail', message: 'is no e-mail message' });
    try {
      return await asking(() => this.inbound.receive(body));
    } catch (error) {
      if (error instanceof UnreadableMail || error instanceof NotTaken) throw refused(error);
      if (!(error instanceof Fault)) throw error;
      throw Object.assign(new ProblemError('dependency-unavailable', 'Mails cannot be taken right now. Sending it again is safe.', {}, { 'retry-after': '5' }), { cause: error });
    }
  }
}

function refused(error: UnreadableMail | NotTaken): ProblemError {
  if (error instanceof UnreadableMail) return refusal({ pointer: '', code: error.code, message: error.message });
  if (error.code === 'unknown_recipient') return refusal({ pointer: '', code: error.code, message: 'is addressed to no organisation here' });
  return new ProblemError('rate-limited', 'This sender has sent too many mails just now.', {}, { 'retry-after': '600' });
}
