import { Controller, Get, Param, Query, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { NoQuery, Uuid, type CommandStatus } from '#contracts';
import { ProblemError } from '#observability';
import { asking } from './asking.js';
import { ReaderGuard } from './reader.guard.js';
import { CommandResultStore } from './command-results.store.js';

/** What became of a command, for who sent it. Pending ones are the gateway's knowledge. */
@Controller('v1/commands')
@UseGuards(ReaderGuard)
export class CommandsController {
  constructor(private readonly results: CommandResultStore) {}

  @Get(':id')
  async status(@Param('id', { schema: Uuid }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() { reader }: FastifyRequest): Promise<CommandStatus> {
    const found = await asking(() => this.results.find(reader.principal, id));
    if (!found) throw new ProblemError('not-found', 'There is no such command.');
    return found;
  }
}
