import { Controller, Get, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { HealthAnswer } from '#contracts';
import { Health } from '#observability';
import { Operation, type OperationText } from './operation.js';

/** A route that needs no sign-in. */
export const open = { isOpen: true };

const told = (text: Pick<OperationText, 'id' | 'summary'>): OperationText => ({
  ...text,
  tag: 'Health',
  answers: { 200: { description: 'Yes.', body: HealthAnswer }, 503: { description: 'No.', body: HealthAnswer } },
});

/** The health answers at the public door, for load balancers; the management port has the same ones beside the metrics. */
@Controller('health')
export class HealthController {
  constructor(private readonly health: Health) {}

  @Get('live')
  @RouteConfig(open)
  @Operation(told({ id: 'isLive', summary: 'Whether the process works' }))
  live(@Res() reply: FastifyReply) {
    return answer(reply, this.health.live());
  }

  @Get('ready')
  @RouteConfig(open)
  @Operation(told({ id: 'isReady', summary: 'Whether it can take requests' }))
  async ready(@Res() reply: FastifyReply) {
    return answer(reply, await this.health.ready());
  }
}

const answer = (reply: FastifyReply, health: HealthAnswer) =>
  reply.code(health.status === 'up' ? 200 : 503).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(health));
