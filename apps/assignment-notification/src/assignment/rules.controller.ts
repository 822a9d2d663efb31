import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, maxAssignmentRules, NoQuery, RehearsalInput, RuleInput, RuleOrder, Uuid, type AssignmentRule, type AssignmentRules, type Rehearsal, type ValidationError } from '#contracts';
import { AssertionGuard } from '#internal';
import { ProblemError } from '#observability';
import { administrator, asking, changeOf, markRepeat } from '../changes.js';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { Agenda } from './agenda.store.js';
import { wantedBy } from './choice.policy.js';
import { Rehearsals } from './rehearsals.js';
import { RuleBook, type Change } from './rule-book.store.js';

type Decide = (rules: readonly AssignmentRule[]) => Change;

/** The rules of an organisation, for its administrators. */
@Controller('v1/assignment-rules')
@UseGuards(AssertionGuard)
export class RulesController {
  constructor(
    private readonly book: RuleBook,
    private readonly directory: DirectoryStore,
    private readonly agenda: Agenda,
    private readonly rehearsals: Rehearsals,
  ) {}

  @Get()
  async list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest): Promise<AssignmentRules> {
    const { orgId } = administrator(request);
    return { items: (await asking(() => this.book.read(orgId))).rules };
  }

  @Post()
  async create(@Body({ schema: RuleInput }) input: RuleInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const people = await this.people(request, input);
    const rule: AssignmentRule = { id: changeOf(request).id, ...input };
    await this.change({ request, reply }, (rules) => {
      demandKnown(input, people);
      if (rules.length >= maxAssignmentRules) throw refusal({ pointer: '', code: 'too_many', message: `the organisation has ${maxAssignmentRules} rules: delete some first` });
      return { rules: fitting([...rules, rule]), outcome: { status: 201, body: JSON.stringify(rule) } };
    });
  }

  @Put('order')
  async reorder(@Body({ schema: RuleOrder }) { ids }: RuleOrder, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.change({ request, reply }, (rules) => {
      const byId = new Map(rules.map((rule) => [rule.id, rule]));
      const unknown = ids.flatMap((id, i) => (byId.has(id) ? [] : [{ pointer: `/ids/${i}`, code: 'unknown_rule', message: 'must be a rule of the organisation' }]));
      if (unknown.length > 0) throw refusal(...unknown.slice(0, 20));
      if (ids.length < rules.length) throw refusal({ pointer: '/ids', code: 'incomplete', message: 'must name every rule of the organisation' });
      const items = ids.map((id) => byId.get(id)!);
      return { rules: items, outcome: { status: 200, body: JSON.stringify({ items } satisfies AssignmentRules) } };
    });
  }

  @Put(':id')
  async replace(@Param('id', { schema: Uuid }) id: string, @Body({ schema: RuleInput }) input: RuleInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const people = await this.people(request, input);
    const rule: AssignmentRule = { id, ...input };
    await this.change({ request, reply }, (rules) => {
      if (!rules.some((one) => one.id === id)) return absent;
      demandKnown(input, people);
      return { rules: fitting(rules.map((one) => (one.id === id ? rule : one))), outcome: { status: 200, body: JSON.stringify(rule) } };
    });
  }

  @Delete(':id')
  async delete(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.change({ request, reply }, (rules) =>
      rules.some((one) => one.id === id) ? { rules: rules.filter((one) => one.id !== id), outcome: { status: 204, body: '' } } : absent,
    );
  }

  @Post('rehearse')
  @HttpCode(200)
  async rehearse(@Body({ schema: RehearsalInput }) input: RehearsalInput, @Req() request: FastifyRequest): Promise<Rehearsal> {
    const { orgId } = administrator(request);
    if (input.rule !== undefined) demandKnown(input.rule, await this.people(request, input.rule), '/rule');
    return asking(() => this.rehearsals.rehearse(orgId, input));
  }

  private people(request: FastifyRequest, rule: RuleInput): Promise<People> {
    const { orgId } = administrator(request);
    return asking(() => this.directory.people(orgId, [...wantedBy(rule), ...(rule.condition.assistantIds ?? []).map((id) => ({ type: 'agent' as const, id }))]));
  }

  private async change({ request, reply }: { request: FastifyRequest; reply: FastifyReply }, decide: Decide): Promise<void> {
    const { orgId } = administrator(request);
    const wanted = changeOf(request);
    const { status, body, hash, isRepeat } = await asking(async () => {
      const changed = await this.book.change(orgId, wanted, decide);
      // A dispatcher does so for whoever dies before it.
      await this.agenda.wake(new Set([orgId]));
      return changed;
    });
    if (isRepeat) markRepeat(reply, hash, wanted.hash);
    if (status === 404) throw new ProblemError('not-found', 'There is no such rule.', {}, isRepeat ? { 'idempotency-replayed': 'true' } : {});
    if (status === 204) return void reply.code(status).send();
    void reply.code(status).header('content-type', 'application/json; charset=utf-8').send(body);
  }
}

/** Rules of an organisation are one document, well below what the store takes, bytes. */
const mostBytes = 4 * 1024 * 1024;

/** @throws ProblemError where there is no room for them */
function fitting(rules: readonly AssignmentRule[]): readonly AssignmentRule[] {
  if (Buffer.byteLength(JSON.stringify(rules)) <= mostBytes) return rules;
  throw refusal({ pointer: '', code: 'too_big', message: 'is too much beside the other rules of the organisation' });
}

const absent: Change = { outcome: { status: 404, body: '' } };

const refusal = (...errors: ValidationError[]) => new ProblemError('validation-failed', 'The request is not valid.', { errors });

/** What no schema can say. @throws ProblemError naming who is not in the directory */
function demandKnown({ condition, strategy }: RuleInput, { members, assistants }: People, at = '') {
  const unknownAssistant = { code: 'unknown_assistant', message: 'must be an assistant of the organisation' };
  const unknownMember = { code: 'unknown_member', message: 'must be a member of the organisation' };
  const errors = (condition.assistantIds ?? []).flatMap((id, i) => (assistants.has(id) ? [] : [{ pointer: `${at}/condition/assistantIds/${i}`, ...unknownAssistant }]));
  if (strategy.type === 'fixed') {
    const { type, id } = strategy.assignee;
    const isKnown = (type === 'member' ? members : assistants).has(id);
    if (!isKnown) errors.push({ pointer: `${at}/strategy/assignee/id`, ...(type === 'member' ? unknownMember : unknownAssistant) });
  } else {
    errors.push(...strategy.memberIds.flatMap((id, i) => (members.has(id) ? [] : [{ pointer: `${at}/strategy/memberIds/${i}`, ...unknownMember }])));
  }
  if (errors.length > 0) throw refusal(...errors.slice(0, 20));
}
