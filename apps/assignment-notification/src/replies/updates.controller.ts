import { Body, Controller, Get, Param, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { NoQuery, RequesterUpdatesInput, Slug, type RequesterUpdates } from '#contracts';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import { changeBook, replaced } from '../book.changes.js';
import { administrator, asking, changeOf } from '../changes.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { UpdateBook } from './update-book.store.js';

const kind = { one: 'assistant', most: 10_000 };

/** What requesters of an assistant's tickets are told, for administrators. */
@Controller('v1/assistants')
@UseGuards(AssertionGuard)
export class UpdatesController {
  constructor(
    private readonly book: UpdateBook,
    private readonly directory: DirectoryStore,
  ) {}

  @Get(':id/requester-updates')
  async read(@Param('id', { schema: Slug }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<RequesterUpdates> {
    const { orgId } = administrator(request);
    await this.demandAssistant(orgId, id);
    const rules = await asking(() => this.book.rules(orgId));
    return rules.find((one) => one.id === id) ?? { id };
  }

  @Put(':id/requester-updates')
  async write(@Param('id', { schema: Slug }) id: string, @Body({ schema: RequesterUpdatesInput }) input: RequesterUpdatesInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    await this.demandAssistant(orgId, id);
    const rule: RequesterUpdates = { id, ...input };
    const decide = (rules: readonly RequesterUpdates[]) => replaced(rules.some((one) => one.id === id) ? rules : [...rules, rule], rule);
    await changeBook(this.book, kind, { orgId, wanted: changeOf(request), decide, then: async () => undefined, reply });
  }

  private async demandAssistant(orgId: string, id: string): Promise<void> {
    const { assistants } = await asking(() => this.directory.people(orgId));
    if (!assistants.has(id)) throw new ProblemError('not-found', 'There is no such assistant.');
  }
}
