import { Body, Controller, Delete, Get, Param, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, maxSlaPolicies, NoQuery, SlaPolicyInput, SlaPolicyOrder, Uuid, type SlaPolicies, type SlaPolicy, type ValidationError } from '#contracts';
import { AssertionGuard } from '#internal';
import { absent, added, changeBook, readBook, refusal, reordered, replaced, without } from '../book.changes.js';
import type { Change } from '../book.store.js';
import { administrator, asking, changeOf } from '../changes.js';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { Calendar } from './calendar.js';
import { PolicyBook } from './policy-book.store.js';
import { StoreTime } from './store-time.js';
import { Timekeeper } from './timekeeper.js';

const kind = { one: 'policy', most: maxSlaPolicies };

type Decide = (policies: readonly SlaPolicy[]) => Change<SlaPolicy>;

/** The policies of an organisation, for its administrators. */
@Controller('v1/sla-policies')
@UseGuards(AssertionGuard)
export class PoliciesController {
  constructor(
    private readonly book: PolicyBook,
    private readonly directory: DirectoryStore,
    private readonly timekeeper: Timekeeper,
    private readonly time: StoreTime,
  ) {}

  @Get()
  list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<SlaPolicies> {
    return readBook(this.book, administrator(request).orgId, reply);
  }

  @Post()
  async create(@Body({ schema: SlaPolicyInput }) input: SlaPolicyInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const people = await this.people(request);
    const now = this.time.now();
    const policy: SlaPolicy = { id: changeOf(request).id, ...input, since: new Date(now).toISOString() };
    await this.change({ request, reply }, (policies) => {
      demandSense(input, { people, now });
      return added(policies, policy, kind);
    });
  }

  @Put('order')
  async reorder(@Body({ schema: SlaPolicyOrder }) { ids }: SlaPolicyOrder, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.change({ request, reply }, (policies) => reordered(policies, ids, kind));
  }

  @Put(':id')
  async replace(@Param('id', { schema: Uuid }) id: string, @Body({ schema: SlaPolicyInput }) input: SlaPolicyInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const people = await this.people(request);
    const now = this.time.now();
    await this.change({ request, reply }, (policies) => {
      const before = policies.find((one) => one.id === id);
      if (before === undefined) return absent;
      demandSense(input, { people, now });
      return replaced(policies, { id, ...input, since: input.enabled && !before.enabled ? new Date(now).toISOString() : before.since });
    });
  }

  @Delete(':id')
  async delete(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.change({ request, reply }, (policies) => without(policies, id));
  }

  private people(request: FastifyRequest): Promise<People> {
    const { orgId } = administrator(request);
    return asking(() => this.directory.people(orgId));
  }

  private async change({ request, reply }: { request: FastifyRequest; reply: FastifyReply }, decide: Decide): Promise<void> {
    const { orgId } = administrator(request);
    await changeBook(this.book, kind, { orgId, wanted: changeOf(request), decide, then: async () => this.timekeeper.wake(), reply });
  }
}

/** What no schema can say. @throws ProblemError naming who is not in the directory, and times that never come */
function demandSense(input: SlaPolicyInput, { people, now }: { people: People; now: number }) {
  const errors = [...unknownIn(input, people), ...unreachedIn(input, now)];
  if (errors.length > 0) throw refusal(...errors);
}

function unknownIn({ condition, onMissed }: SlaPolicyInput, { members, assistants }: People): ValidationError[] {
  const assistant = (pointer: string) => ({ pointer, code: 'unknown_assistant', message: 'must be an assistant of the organisation' });
  const member = (pointer: string) => ({ pointer, code: 'unknown_member', message: 'must be a member of the organisation' });
  const conditions = (condition.assistantIds ?? []).flatMap((id, i) => (assistants.has(id) ? [] : [assistant(`/condition/assistantIds/${i}`)]));
  const actions = onMissed.flatMap((action, at) => {
    if (action.type === 'notify') return action.memberIds.flatMap((id, i) => (members.has(id) ? [] : [member(`/onMissed/${at}/memberIds/${i}`)]));
    if (action.type !== 'reassign' || action.to === null) return [];
    const pointer = `/onMissed/${at}/to/id`;
    return action.to.type === 'member' ? (members.has(action.to.id) ? [] : [member(pointer)]) : assistants.has(action.to.id) ? [] : [assistant(pointer)];
  });
  return [...conditions, ...actions];
}

/** Of hours that are few a time may not come within years. */
function unreachedIn({ targets, hours }: SlaPolicyInput, now: number): ValidationError[] {
  const calendar = new Calendar(hours);
  if (calendar.after(now, 1) === null) return [{ pointer: '/hours', code: 'no_working_time', message: 'have no working time within the next four years' }];
  const all = Object.entries(targets).flatMap(([priority, times = {}]) => Object.entries(times).map(([name, minutes]) => ({ pointer: `/targets/${priority}/${name}`, minutes })));
  const isReached = ({ minutes }: { minutes: number | undefined }) => minutes === undefined || calendar.after(now, minutes * 60_000) !== null;
  return all.filter((one) => !isReached(one)).map(({ pointer }) => ({ pointer, code: 'out_of_reach', message: 'is more working time than the next four years have' }));
}
