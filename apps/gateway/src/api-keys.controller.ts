import { Body, Controller, Delete, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiKeyId, bodies, NewApiKey, NoQuery, type ApiKey, type ApiKeys, type CreatedApiKey, type ValidationError } from '#contracts';
import { ProblemError } from '#observability';
import { StoreFault } from '#persistence';
import { administrator, identityOf, markRepeat } from './administration.js';
import { apiKeyOperations } from './api-keys.operations.js';
import { ApiKeyStore, type StoredKey } from './api-keys.store.js';
import { digestOf, newSecret } from './api-key-secret.js';
import { Directory } from './directory.js';
import { Operation } from './operation.js';
import { unavailable } from './unavailable.js';

/** Keys of an organisation that are not deleted: they are listed as a whole. A few more where several are made at once. */
const mostKeys = 500;

/**
 * API keys over REST, for administrators. Who lost the answer to a creation cannot get the secret again: a repeat names the key without it, to be
 * deleted and made anew.
 */
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly directory: Directory,
  ) {}

  @Post()
  @Operation(apiKeyOperations.create)
  async create(@Body({ schema: NewApiKey }) input: NewApiKey, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId, actor } = administrator(request);
    const { id, hash, isKeyed } = identityOf(request, '/v1/api-keys');
    const earlier = isKeyed ? await this.keys.find(orgId, id).catch(cannot) : null;
    if (earlier !== null) return answerRepeat(reply, earlier, hash);
    await this.demandValid(orgId, input);
    const secret = newSecret(id);
    const createdBy = { type: actor.type, id: actor.id };
    const key = { _id: id, orgId, ...input, expiresAt: input.expiresAt ?? null, digest: digestOf(secret), createdAt: new Date().toISOString(), createdBy, request: hash };
    const stored = await this.keys.add(key).catch(cannot);
    if (stored.digest !== key.digest) return answerRepeat(reply, stored, hash);
    void reply.code(201).send({ ...asCreated(stored), secret } satisfies CreatedApiKey);
  }

  @Get()
  @Operation(apiKeyOperations.list)
  async list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<ApiKeys> {
    const { orgId } = administrator(request);
    return { items: (await this.keys.list(orgId).catch(cannot)).map(apiKeyOf) };
  }

  @Delete(':id')
  @Operation(apiKeyOperations.delete)
  async delete(@Param('id', { schema: ApiKeyId }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId, actor } = administrator(request);
    const { id: commandId, hash } = identityOf(request, `/v1/api-keys/${id}`);
    const mine = { at: new Date(), by: { type: actor.type, id: actor.id }, commandId, request: hash };
    const revoked = await this.keys.revoke(orgId, id, mine).catch(cannot);
    if (revoked?.commandId !== commandId) throw new ProblemError('not-found', 'There is no such API key.');
    if (revoked !== mine) markRepeat(reply, revoked.request, hash);
    void reply.code(204).send();
  }

  /** What no schema can say. Only for what is new: a repeat meets its first answer. */
  private async demandValid(orgId: string, { assistantId, expiresAt }: NewApiKey): Promise<void> {
    const errors: ValidationError[] = [];
    const { assistants } = await this.directory.roster(orgId);
    if (!assistants.some(({ id }) => id === assistantId)) errors.push({ pointer: '/assistantId', code: 'unknown_assistant', message: 'must be an assistant of the organisation' });
    if (expiresAt != null && Date.parse(expiresAt) <= Date.now()) errors.push({ pointer: '/expiresAt', code: 'in_the_past', message: 'must lie in the future' });
    if ((await this.keys.count(orgId, mostKeys).catch(cannot)) >= mostKeys) errors.push({ pointer: '', code: 'too_many', message: `the organisation has ${mostKeys} API keys: delete some first` });
    if (errors.length > 0) throw new ProblemError('validation-failed', 'The request is not valid.', { errors });
  }
}

function answerRepeat(reply: FastifyReply, stored: StoredKey, hash: string) {
  markRepeat(reply, stored.request, hash);
  void reply.code(201).send(asCreated(stored));
}

const apiKeyOf = ({ _id: id, name, assistantId, scopes, createdAt, expiresAt, lastUsedAt }: StoredKey): ApiKey => ({
  id,
  name,
  assistantId,
  scopes,
  createdAt,
  expiresAt,
  lastUsedAt: lastUsedAt ?? null,
});

/** The key as it was when it was made: a repeat is answered like the first time. */
const asCreated = (stored: StoredKey): CreatedApiKey => ({ ...apiKeyOf(stored), lastUsedAt: null });

function cannot(error: unknown): never {
  if (!(error instanceof StoreFault)) throw error;
  throw unavailable('API keys cannot be read or written right now. A retry with the same Idempotency-Key is safe.', error);
}
