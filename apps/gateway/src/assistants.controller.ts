import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AssistantInput, bodies, directoryKey, NoQuery, Slug, type Assistant } from '#contracts';
import { ProblemError } from '#observability';
import { StoreFault } from '#persistence';
import { administrator, answered, demandOf, identityOf, refusal } from './administration.js';
import { assistantOperations } from './assistants.operations.js';
import { takeOffAssistants } from './departures.js';
import { Directory } from './directory.js';
import { put, removed } from './directory.policy.js';
import { DirectoryStore } from './directory.store.js';
import { Operation } from './operation.js';
import { unavailable } from './unavailable.js';

/** Assistants of an organisation: whoever is let in is judged by all of them. A few more where several are made at once. */
const mostAssistants = 1_000;

const what = 'assistant';

/** Which assistants there are and whose: that says whose tickets members see. The store tells everybody else, by `directory.v1`. */
@Controller('v1/assistants')
export class AssistantsController {
  constructor(
    private readonly store: DirectoryStore,
    private readonly directory: Directory,
  ) {}

  @Get()
  @Operation(assistantOperations.list)
  async list(@Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest): Promise<{ items: readonly Assistant[] }> {
    return { items: (await this.directory.roster(caller.principal.orgId)).assistants };
  }

  @Get(':id')
  @Operation(assistantOperations.get)
  async get(@Param('id', { schema: Slug }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() { caller }: FastifyRequest, @Res() reply: FastifyReply) {
    const entry = await this.store.find(directoryKey({ orgId: caller.principal.orgId, kind: 'assistant', id })).catch(cannot);
    if (entry?.kind !== 'assistant' || entry.deleted) throw new ProblemError('not-found', `There is no such ${what}.`);
    void reply.header('etag', `"${entry.revision}"`).send(entry.value);
  }

  @Put(':id')
  @HttpCode(200)
  @Operation(assistantOperations.put)
  async put(@Param('id', { schema: Slug }) id: string, @Body({ schema: AssistantInput }) { name, memberIds }: AssistantInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const identity = identityOf(request, `/v1/assistants/${id}`);
    const wanted = { orgId, kind: 'assistant', id, value: { id, name, memberIds } } as const;
    const earlier = await this.store.earlier(wanted, identity).catch(cannot);
    if (earlier === undefined) await this.demandValid(wanted).catch(cannot);
    const edited = earlier ?? (await this.store.edit(wanted, put(wanted.value, demandOf(request)), identity).catch(cannot));
    answered(reply, { edited, request: identity, what });
    await this.leaveOut(wanted).catch(cannot);
    this.directory.renew(orgId);
    void reply.code(edited.outcome === 'created' ? 201 : 200).header('etag', `"${edited.revision}"`).send(wanted.value);
  }

  /** Its tickets stay filed under it; its API keys let nobody in for as long as it is not made anew. */
  @Delete(':id')
  @Operation(assistantOperations.delete)
  async delete(@Param('id', { schema: Slug }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const identity = identityOf(request, `/v1/assistants/${id}`);
    const edited = await this.store.edit({ orgId, kind: 'assistant', id }, removed(demandOf(request)), identity).catch(cannot);
    answered(reply, { edited, request: identity, what });
    this.directory.renew(orgId);
    void reply.code(204).send();
  }

  /** What no schema can say. Only for what is new: a repeat meets its first answer. */
  private async demandValid({ orgId, id, value: { memberIds } }: { orgId: string; id: string; value: Assistant }): Promise<void> {
    const known = await this.store.known(orgId, 'member', memberIds);
    const errors = memberIds.flatMap((one, at) => (known.has(one) ? [] : [{ pointer: `/memberIds/${at}`, code: 'unknown_member', message: 'must be a member of the organisation' }]));
    if (errors.length > 0) throw refusal(...errors);
    const { assistants } = await this.directory.roster(orgId);
    if (assistants.length < mostAssistants || assistants.some((one) => one.id === id)) return;
    throw refusal({ pointer: '', code: 'too_many', message: `the organisation has ${mostAssistants} assistants: delete some first` });
  }

  /** Somebody may have been taken out after they were looked up, and before they were put on. */
  private async leaveOut({ orgId, value: { memberIds } }: { orgId: string; value: Assistant }): Promise<void> {
    const known = await this.store.known(orgId, 'member', memberIds);
    for (const id of memberIds) if (!known.has(id)) await takeOffAssistants(this.store, { orgId, kind: 'member', id });
  }
}

function cannot(error: unknown): never {
  if (!(error instanceof StoreFault)) throw error;
  throw unavailable('Assistants cannot be read or written right now. A retry with the same Idempotency-Key is safe.', error);
}
