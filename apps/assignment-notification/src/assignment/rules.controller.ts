import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodies, maxAssignmentRules, NoQuery, RehearsalInput, RuleInput, RuleOrder, Uuid, type AssignmentRule, type AssignmentRules, type Rehearsal } from '#contracts';
import { AssertionGuard } from '#internal';
import { absent, added, changeBook, readBook, refusal, reordered, replaced, without } from '../book.changes.js';
import type { Change } from '../book.store.js';
import { administrator, asking, changeOf } from '../changes.js';
import { DirectoryStore, type People } from '../directory/directory.store.js';
import { Agenda } from './agenda.store.js';
import { Rehearsals } from './rehearsals.js';
import { RuleBook } from './rule-book.store.js';
import { TrackedTickets } from './tracked-tickets.store.js';

const kind = { one: 'rule', most: maxAssignmentRules };

type Decide = (rules: readonly AssignmentRule[]) => Change<AssignmentRule>;

/** The rules of an organisation, for its administrators. */
@Controller('v1/assignment-rules')
@UseGuards(AssertionGuard)
export class RulesController {
  constructor(
    private readonly book: RuleBook,
    private readonly directory: DirectoryStore,
    private readonly tickets: TrackedTickets,
    private readonly agenda: Agenda,
    private readonly rehearsals: Rehearsals,
  ) {}

  @Get()
  list(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<AssignmentRules> {
    return readBook(this.book, administrator(request).orgId, reply);
  }

  @Post()
  async create(@Body({ schema: RuleInput }) input: RuleInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const people = await this.people(request);
    const rule: AssignmentRule = { id: changeOf(request).id, ...input };
    await this.change({ request, reply }, (rules) => {
      demandKnown(input, people);
      return added(rules, rule, kind);
    });
  }

  @Put('order')
  async reorder(@Body({ schema: RuleOrder }) { ids }: RuleOrder, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.change({ request, reply }, (rules) => reordered(rules, ids, kind));
  }

  @Put(':id')
  async replace(@Param('id', { schema: Uuid }) id: string, @Body({ schema: RuleInput }) input: RuleInput, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const people = await this.people(request);
    const rule: AssignmentRule = { id, ...input };
    await this.change({ request, reply }, (rules) => {
      if (!rules.some((one) => one.id === id)) return absent;
      demandKnown(input, people);
      return replaced(rules, rule);
    });
  }

  @Delete(':id')
  async delete(@Param('id', { schema: Uuid }) id: string, @Body({ schema: bodies.nothing }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    await this.change({ request, reply }, (rules) => without(rules, id));
  }

  @Post('rehearse')
  @HttpCode(200)
  async rehearse(@Body({ schema: RehearsalInput }) input: RehearsalInput, @Req() request: FastifyRequest): Promise<Rehearsal> {
    const { orgId } = administrator(request);
    if (input.rule !== undefined) demandKnown(input.rule, await this.people(request), '/rule');
    return asking(() => this.rehearsals.rehearse(orgId, input));
  }

  private people(request: FastifyRequest): Promise<People> {
    const { orgId } = administrator(request);
    return asking(() => this.directory.people(orgId));
  }

  private async change({ request, reply }: { request: FastifyRequest; reply: FastifyReply }, decide: Decide): Promise<void> {
    const { orgId } = administrator(request);
    const then = async () => {
      await this.tickets.unsettle(orgId);
      await this.agenda.wake(new Set([orgId]));
    };
    await changeBook(this.book, kind, { orgId, wanted: changeOf(request), decide, then, reply });
  }
}

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
  if (errors.length > 0) throw refusal(...errors);
}
