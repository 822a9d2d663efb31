import { Controller, Get, Query, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { StatsQuery, type Stats } from '#contracts';
import { ReaderGuard } from '../reader.guard.js';
import type { ReadModel } from '../generations/read-model.js';
import { Readings } from '../generations/readings.js';

/** What gateways ask for statistics, under the public path. */
@Controller('v1/stats')
@UseGuards(ReaderGuard)
export class StatsController {
  constructor(private readonly readings: Readings<ReadModel>) {}

  @Get()
  stats(@Query({ schema: StatsQuery }) query: StatsQuery, @Req() { reader }: FastifyRequest): Promise<Stats> {
    return this.readings.read(({ stats }) => stats.stats(reader.principal, query));
  }
}
