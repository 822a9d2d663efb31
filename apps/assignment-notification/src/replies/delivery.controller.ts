import { Body, Controller, Delete, Get, Param, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AssistantDeliveryInput, bodies, NoQuery, Slug, type AssistantDelivery } from '#contracts';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import { changeBook, refusal, without } from '../book.changes.js';
import type { Change } from '../book.store.js';
import { administrator, asking, changeOf } from '../changes.js';
import { DirectoryStore } from '../directory/directory.store.js';
import { AssistantPost } from './assistant-post.js';
import { DeliveryBook, type StoredDelivery } from './delivery-book.store.js';

const kind = { one: 'delivery', most: 10_000 };

type Decide = (all: readonly StoredDelivery[]) => Change<StoredDelivery>;

/** Where assistants take messages to those they talk with, for administrators. Secrets are told to nobody. */
@Controller('v1/assistants')
@UseGuards(AssertionGuard)
export class DeliveryController {
  constructor(
    private readonly book: DeliveryBook,
    private readonly directory: DirectoryStore,
    private readonly post: AssistantPost,
  ) {}

  @Get(':id/delivery')
  async read(@Param('id', { schema: Slug }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<AssistantDelivery> {
    const { orgId } = administrator(request);
    const delivery = await asking(() => this.book.of(orgId, id));
    if (delivery === undefined) throw new ProblemError('not-found', 'There is no such delivery.');
    return { id, url: delivery.url };
  }

  @Put(':id/delivery')
  async write(@Param('id', { schema: Slug }) id: string, @Body({ schema: AssistantDeliveryInput }) { url, secret }: AssistantDeliveryInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const { assistants } = await asking(() => this.directory.people(orgId));
    if (!assistants.has(id)) throw new ProblemError('not-found', 'There is no such assistant.');
    if (!this.post.mayBe(new URL(url))) throw refusal({ pointer: '/url', code: 'bad_url', message: 'must be https, and an address that everybody may reach' });
    const body = JSON.stringify({ id, url } satisfies AssistantDelivery);
    await this.change({ request, reply }, (all) => ({ rules: [...all.filter((one) => one.id !== id), { id, url, secret }], outcome: { status: 200, body } }));
  }

  @Delete(':id/delivery')
  async delete(@Param('id', { schema: Slug }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.change({ request, reply }, (all) => without(all, id));
  }

  private async change({ request, reply }: { request: FastifyRequest; reply: FastifyReply }, decide: Decide): Promise<void> {
    const { orgId } = administrator(request);
    await changeBook(this.book, kind, { orgId, wanted: changeOf(request), decide, then: async () => undefined, reply });
  }
}
