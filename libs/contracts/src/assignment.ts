import { z } from 'zod';
import { Assignee, Channel } from './principal.js';
import { distinct, Instant, PersonId, Slug, Time, trimmedText, Uuid } from './text.js';
import { AssigneeInput, CustomFieldKey, CustomFieldValue, limits, Priority } from './ticket.js';

/** Rules of an organisation at most. */
export const maxAssignmentRules = 100;

/** People between whom a rule divides at most: each is named in the explanation of every choice. */
const maxCandidates = 100;

const someOf = <T extends z.ZodType<string>>(one: T, most = 100) => z.array(one).min(1).max(most).check(distinct).meta({ uniqueItems: true });

const Domain = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^(?=.{1,253}$)[a-z0-9\u0080-\uffff-]+(\.[a-z0-9\u0080-\uffff-]+)*$/, 'must be a domain such as example.org');

/** Which tickets a rule is for: all that is given must hold, of each list one. Without anything it is for every ticket. */
export const RuleCondition = z.strictObject({
  assistantIds: someOf(Slug).optional().meta({ description: 'The ticket is of one of these assistants.' }),
  priorities: someOf(Priority).optional(),
  tags: someOf(trimmedText(limits.tag)).optional().meta({ description: 'The ticket has one of these tags.' }),
  channels: someOf(Channel).optional(),
  requesterDomains: someOf(Domain).optional().meta({ description: 'The requester’s e-mail address is of one of these domains, or of one below.' }),
  customFields: z
    .record(CustomFieldKey, CustomFieldValue)
    .refine((fields) => Object.keys(fields).length <= limits.customFields, { error: `must have at most ${limits.customFields} fields`, params: { code: 'too_big' } })
    .optional()
    .meta({ description: 'The ticket’s custom fields of these names are equal to these.' }),
});
export type RuleCondition = z.infer<typeof RuleCondition>;

const memberIds = z.array(PersonId).min(1).max(maxCandidates).check(distinct).meta({ description: 'In the order in which it is their turn.', uniqueItems: true });

/** Who is chosen. The last two take only people who are not away, within their working hours and below their capacity. */
export const RuleStrategy = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('fixed'), assignee: AssigneeInput }),
  z.strictObject({ type: z.literal('round-robin'), memberIds }),
  z.strictObject({ type: z.literal('least-open'), memberIds }),
]);
export type RuleStrategy = z.infer<typeof RuleStrategy>;

/** Body of `POST /assignment-rules` and of `PUT /assignment-rules/{id}`. That members and assistants exist is the service's to check. */
export const RuleInput = z.strictObject({
  name: trimmedText(255),
  enabled: z.boolean().default(true),
  condition: RuleCondition.default({}),
  strategy: RuleStrategy,
});
export type RuleInput = z.infer<typeof RuleInput>;

/** A rule of an organisation: of those that are enabled, the first whose condition holds decides who gets a ticket that nobody has. */
export const AssignmentRule = z.object({ id: Uuid, ...RuleInput.shape, enabled: z.boolean(), condition: RuleCondition });
export type AssignmentRule = z.infer<typeof AssignmentRule>;

/** Answer of `GET /assignment-rules`, in the order in which they are asked. */
export const AssignmentRules = z.object({ items: z.array(AssignmentRule) });
export type AssignmentRules = z.infer<typeof AssignmentRules>;

/** Body of `PUT /assignment-rules/order`: all rules, each once. */
export const RuleOrder = z.strictObject({ ids: z.array(Uuid).max(maxAssignmentRules).check(distinct).meta({ uniqueItems: true }) });
export type RuleOrder = z.infer<typeof RuleOrder>;

/** Somebody a rule could choose, and why it did not. `load`: open and pending tickets at that moment. */
export const Candidate = z.object({
  type: Assignee.shape.type,
  id: PersonId,
  name: z.string(),
  load: z.number().int(),
  whyNot: z.enum(['unknown', 'away', 'outside-working-hours', 'at-capacity', 'had-it']).optional().meta({ description: '`had-it`: gave it back, or is away while it was reopened.' }),
});
export type Candidate = z.infer<typeof Candidate>;

/** The `explanation` of an `assignee-changed` event whose reason is `rule`. */
export const Choice = z.object({
  rule: z.object({ id: Uuid, name: z.string() }),
  strategy: z.enum(['fixed', 'round-robin', 'least-open']),
  candidates: z.array(Candidate),
  chosen: AssigneeInput,
  why: z.enum(['named', 'next-in-turn', 'fewest-open']),
});
export type Choice = z.infer<typeof Choice>;

/** Body of `POST /assignment-rules/rehearse`. */
export const RehearsalInput = z
  .strictObject({
    from: Instant,
    to: Instant.meta({ description: 'Exclusive; at most 31 days after `from`.' }),
    rule: RuleInput.optional().meta({ description: 'A draft, rehearsed alone. Without it the rules as they are.' }),
  })
  // What is no time is said so, and nothing else.
  .refine(({ from, to }) => !(Date.parse(from) >= Date.parse(to)), { error: 'must be later than from', path: ['to'], params: { code: 'ends_before_it_begins' } })
  .refine(({ from, to }) => !(Date.parse(to) - Date.parse(from) > 31 * 86_400_000), { error: 'must be at most 31 days after from', path: ['to'], params: { code: 'too_long' } });
export type RehearsalInput = z.infer<typeof RehearsalInput>;

const count = z.number().int();

/** What rules would have done with one ticket. */
export const RehearsedTicket = z.object({
  ticketId: Uuid,
  at: Time.meta({ description: 'When nobody had it.' }),
  outcome: z.enum(['assigned', 'waits', 'unmatched']).meta({ description: '`waits`: a rule is for it, and nobody was free. `unmatched`: no rule is for it.' }),
  rule: z.object({ id: Uuid.nullable().meta({ description: 'null: the draft.' }), name: z.string() }).nullable(),
  chosen: Assignee.nullable(),
  candidates: z.array(Candidate),
});
export type RehearsedTicket = z.infer<typeof RehearsedTicket>;

/** Answer of `POST /assignment-rules/rehearse`. Nothing was changed. */
export const Rehearsal = z.object({
  tickets: count.meta({ description: 'How many times a ticket was without an assignee, as far as was looked.' }),
  isComplete: z.boolean().meta({ description: 'false: there were more than 5,000, or it took too long; those after them were not looked at.' }),
  assigned: count,
  waiting: count,
  unmatched: count,
  byAssignee: z.array(z.object({ assignee: Assignee, count })),
  items: z.array(RehearsedTicket).meta({ description: 'The first 200, oldest first.' }),
  assumptions: z.array(z.string()).meta({ description: 'What a rehearsal cannot know, for people.' }),
});
export type Rehearsal = z.infer<typeof Rehearsal>;

/** Answer of `POST /members/{id}/hand-back`: how many tickets are given back. It happens at once, one after the other. */
export const HandBack = z.object({ tickets: count });
export type HandBack = z.infer<typeof HandBack>;
