import { Controller, Get, Query, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SuggestQuery, type Suggestions } from '#contracts';
import { AssertionGuard } from '../assertion.guard.js';
import { TicketViewStore } from '../ticket-view.store.js';

/** What a search box offers while somebody types. */
@Controller('v1/suggest')
@UseGuards(AssertionGuard)
export class SuggestController {
  constructor(private readonly tickets: TicketViewStore) {}

  @Get()
  suggest(@Query({ schema: SuggestQuery }) query: SuggestQuery, @Req() { reader }: FastifyRequest): Promise<Suggestions> {
    return this.tickets.suggest(reader, query);
  }
}
