import { Controller, Get, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { Health, type HealthAnswer } from '#observability';

/** A route that needs no sign-in. */
export const open = { isOpen: true };

/** The health answers at the public door, for load balancers; the management port has the same ones beside the metrics. */
@Controller('health')
export class HealthController {
  constructor(private readonly health: Health) {}

  @Get('live')
  @RouteConfig(open)
  live(@Res() reply: FastifyReply) {
    return answer(reply, this.health.live());
  }

  @Get('ready')
  @RouteConfig(open)
  async ready(@Res() reply: FastifyReply) {
    return answer(reply, await this.health.ready());
  }
}

const answer = (reply: FastifyReply, health: HealthAnswer) =>
  reply.code(health.status === 'up' ? 200 : 503).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(health));
