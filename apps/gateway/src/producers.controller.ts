import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, NewProducer, NoQuery, ProducerGrant, Slug, topicsOfSystem, type Producer, type Producers, type RegisteredProducer } from '#contracts';
import { Fault, TopicNameTaken } from '#messaging';
import { ProblemError } from '#observability';
import { StoreFault } from '#persistence';
import { administrator, answered, identityOf, refusal } from './administration.js';
import { Directory } from './directory.js';
import { begun, changed, created, removed } from './directory.policy.js';
import { DirectoryStore, type Edited } from './directory.store.js';
import { inTime } from './in-time.js';
import { Operation } from './operation.js';
import { producerOperations } from './producers.operations.js';
import { SystemTopics } from './system-topics.js';
import { unavailable } from './unavailable.js';

/** Outside systems of an organisation: they are listed as a whole. A few more where several are registered at once. */
const mostProducers = 100;
/** With deleted ones, whose topics stay and are read on. */
const mostProducersEver = 300;

/** How long a request waits for topics, ms. */
const topicsMs = 8_000;

const route = '/v1/producers';
const what = 'outside system';

/** Outside systems over REST, for administrators: what each may do for their organisation. The store tells everybody else, by `directory.v1`. */
@Controller('v1/producers')
export class ProducersController {
  constructor(
    private readonly store: DirectoryStore,
    private readonly directory: Directory,
    private readonly topics: SystemTopics,
  ) {}

  /** Topics first: a crash behind them leaves topics that nobody uses yet, and a retry goes on. */
  @Post()
  @Operation(producerOperations.create)
  async create(@Body({ schema: NewProducer }) input: NewProducer, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const identity = identityOf(request, route);
    const wanted = { orgId, kind: 'producer', id: input.id } as const;
    const earlier = await this.store.earlier(wanted, identity).catch(cannot);
    if (earlier === undefined) await this.demandNew(orgId, input);
    const edited = earlier ?? (await this.store.edit(wanted, begun(input, new Date(), created), identity).catch(cannot));
    answered(reply, { edited, request: identity, what });
    if (edited.outcome === 'exists') throw new ProblemError('already-exists', `The organisation has registered ${input.id} already.`);
    void reply.code(201).header('location', `${route}/${input.id}`).send(registered(asAnswered(input, edited), edited.isSeeded));
  }

  @Get()
  @Operation(producerOperations.list)
  async list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<Producers> {
    return { items: await this.registeredIn(administrator(request).orgId) };
  }

  @Get(':id')
  @Operation(producerOperations.get)
  async get(@Param('id', { schema: Slug }) id: string, @Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<RegisteredProducer> {
    const found = (await this.registeredIn(administrator(request).orgId)).find((one) => one.id === id);
    if (found === undefined) throw new ProblemError('not-found', `There is no such ${what}.`);
    return found;
  }

  @Put(':id')
  @HttpCode(200)
  @Operation(producerOperations.replace)
  async replace(@Param('id', { schema: Slug }) id: string, @Body({ schema: ProducerGrant }) grant: ProducerGrant, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const identity = identityOf(request, `${route}/${id}`);
    const wanted = { orgId, kind: 'producer', id } as const;
    const earlier = await this.store.earlier(wanted, identity).catch(cannot);
    if (earlier === undefined) await this.demandAssistants(orgId, grant);
    const edited = earlier ?? (await this.store.edit(wanted, begun({ id, ...grant }, new Date(), changed), identity).catch(cannot));
    answered(reply, { edited, request: identity, what });
    void reply.send(registered(asAnswered({ id, ...grant }, edited), edited.isSeeded));
  }

  @Delete(':id')
  @Operation(producerOperations.delete)
  async delete(@Param('id', { schema: Slug }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const { orgId } = administrator(request);
    const identity = identityOf(request, `${route}/${id}`);
    const edited = await this.store.edit({ orgId, kind: 'producer', id }, removed(), identity).catch(cannot);
    answered(reply, { edited, request: identity, what });
    void reply.code(204).send();
  }

  private async registeredIn(orgId: string): Promise<RegisteredProducer[]> {
    const found = await this.store.list(orgId, ['producer']).catch(cannot);
    return found
      .flatMap(({ entry, isSeeded }) => (entry.kind === 'producer' ? [registered(entry.value, isSeeded)] : []))
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** What no schema can say, and the topics. Only for what is new: a repeat meets its first answer. */
  private async demandNew(orgId: string, input: NewProducer): Promise<void> {
    await this.demandAssistants(orgId, input);
    const there = await this.registeredIn(orgId);
    if (there.some(({ id }) => id === input.id)) return; // told by the store
    if (there.length >= mostProducers) throw refusal({ pointer: '', code: 'too_many', message: `the organisation has ${mostProducers} outside systems: delete some first` });
    const ever = await this.store.everIn(orgId, 'producer').catch(cannot);
    if (ever.size >= mostProducersEver && !ever.has(input.id)) {
      throw refusal({ pointer: '/id', code: 'too_many_ever', message: `the organisation has had ${mostProducersEver} outside systems, whose topics stay: register one of them again` });
    }
    await inTime(this.topics.make(input.id), topicsMs).catch(noTopics);
  }

  private async demandAssistants(orgId: string, { assistantIds }: ProducerGrant): Promise<void> {
    const { assistants } = await this.directory.roster(orgId);
    const known = new Set(assistants.map(({ id }) => id));
    const errors = assistantIds.flatMap((id, at) =>
      known.has(id) ? [] : [{ pointer: `/assistantIds/${at}`, code: 'unknown_assistant', message: 'must be an assistant of the organisation' }],
    );
    if (errors.length > 0) throw refusal(...errors);
  }
}

/** What was asked for, with the time that was settled then. */
const asAnswered = ({ outbound, ...grant }: NewProducer, { told: from }: Edited): Producer => ({ ...grant, ...(outbound && from !== undefined && { outbound: { ...outbound, from } }) });

const registered = (producer: Producer, isSeeded: boolean): RegisteredProducer => ({
  ...producer,
  topics: topicsOfSystem(producer),
  managedBy: isSeeded ? 'file' : 'administrators',
});

function noTopics(error: unknown): never {
  if (error instanceof TopicNameTaken) {
    throw refusal({ pointer: '/id', code: 'name_taken', message: 'differs only in dots and underscores from another system, which Kafka does not allow' });
  }
  if (error instanceof Fault || error instanceof StoreFault) throw unavailable('Its topics cannot be made right now, and nothing was registered. A retry is safe.', error);
  throw error;
}

function cannot(error: unknown): never {
  if (!(error instanceof StoreFault)) throw error;
  throw unavailable('Outside systems cannot be read or written right now. A retry with the same Idempotency-Key is safe.', error);
}
