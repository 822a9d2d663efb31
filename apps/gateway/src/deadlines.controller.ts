import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, NoQuery, SlaPolicyInput, SlaPolicyOrder, Uuid } from '#contracts';
import { administrator } from './administration.js';
import { deadlineOperations } from './deadlines.operations.js';
import { Forwards } from './forwards.js';
import { Operation } from './operation.js';

const policies = '/v1/sla-policies';

/** By when tickets are to be answered and resolved: policies of the organisation, kept by assignment-notification. */
@Controller(policies)
export class DeadlinesController {
  constructor(private readonly forwards: Forwards) {}

  @Get()
  @Operation(deadlineOperations.list)
  list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, policies);
  }

  @Post()
  @Operation(deadlineOperations.create)
  create(@Body({ schema: SlaPolicyInput }) _: SlaPolicyInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, policies);
  }

  @Put('order')
  @HttpCode(200)
  @Operation(deadlineOperations.reorder)
  reorder(@Body({ schema: SlaPolicyOrder }) _: SlaPolicyOrder, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${policies}/order`);
  }

  @Put(':id')
  @HttpCode(200)
  @Operation(deadlineOperations.replace)
  replace(@Param('id', { schema: Uuid }) id: string, @Body({ schema: SlaPolicyInput }) _: SlaPolicyInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${policies}/${id}`);
  }

  @Delete(':id')
  @Operation(deadlineOperations.delete)
  delete(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.passed(request, reply, `${policies}/${id}`);
  }

  private async passed(request: FastifyRequest, reply: FastifyReply, path: string): Promise<void> {
    administrator(request);
    await this.forwards.pass({ request, reply }, path);
  }
}
