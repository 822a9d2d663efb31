import { Controller, Get, Query, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SuggestQuery, type Suggestions } from '#contracts';
import { ReaderGuard } from '../reader.guard.js';
import type { ReadModel } from '../generations/read-model.js';
import { Readings } from '../generations/readings.js';

/** What a search box offers while somebody types. */
@Controller('v1/suggest')
@UseGuards(ReaderGuard)
export class SuggestController {
  constructor(private readonly readings: Readings<ReadModel>) {}

  @Get()
  suggest(@Query({ schema: SuggestQuery }) query: SuggestQuery, @Req() { reader }: FastifyRequest): Promise<Suggestions> {
    return this.readings.read(({ tickets }) => tickets.suggest(reader, query));
  }
}
