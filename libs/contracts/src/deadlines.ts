import { z } from 'zod';
import { TimeZone, WorkingHours } from './availability.js';
import { Actor } from './principal.js';
import { distinct, PersonId, Slug, Time, trimmedText, Uuid } from './text.js';
import { AssigneeInput, Priority, Ticket } from './ticket.js';

/** Policies of an organisation at most. */
export const maxSlaPolicies = 100;

/** What has to be done in time: the first reply, the reply to what the requester wrote since, the resolution. */
export const DeadlineKind = z.enum(['first-reply', 'next-reply', 'resolution']);
export type DeadlineKind = z.infer<typeof DeadlineKind>;

/** Of a deadline that something is still to be done for. */
export const openDeadlineStates = ['running', 'paused', 'warning', 'missed'] as const;

/** How a deadline stands. */
export const DeadlineState = z.enum([...openDeadlineStates, 'met', 'late']).meta({
  description: '`paused`: the ticket is pending or resolved. `warning`: most of the time is over. `missed`: all of it, and it is still to be done. `met`: done in time. `late`: done too late, or never.',
});
export type DeadlineState = z.infer<typeof DeadlineState>;

/** A deadline of a ticket. */
export const TicketDeadline = z.object({
  kind: DeadlineKind,
  dueAt: Time.nullable().meta({ description: 'null while it is paused: how long the pause will be is not known.' }),
  state: DeadlineState,
});
export type TicketDeadline = z.infer<typeof TicketDeadline>;

/** The deadlines of a ticket, of each kind at most one: the newest. */
export const TicketDeadlines = z.array(TicketDeadline);

const Minutes = z.number().int().min(1).max(525_600).meta({ description: 'Minutes, up to a year of them.' });
const someGiven = (given: object) => Object.values(given).some((one) => one !== undefined);
const nothingGiven = { error: 'must name at least one', params: { code: 'too_small' } };

/** Times of one priority; what is left out has no deadline. */
export const SlaTimes = z.strictObject({ firstReply: Minutes.optional(), nextReply: Minutes.optional(), resolution: Minutes.optional() }).refine(someGiven, nothingGiven);
export type SlaTimes = z.infer<typeof SlaTimes>;

/** Times by the ticket's priority; tickets of a priority that is left out have no deadlines. */
export const SlaTargets = z.strictObject({ low: SlaTimes.optional(), normal: SlaTimes.optional(), high: SlaTimes.optional(), urgent: SlaTimes.optional() }).refine(someGiven, nothingGiven);
export type SlaTargets = z.infer<typeof SlaTargets>;

/** Which time counts. */
export const SlaHours = z.strictObject({
  timeZone: TimeZone.meta({ description: 'Where the wall clock and the calendar hang.' }),
  workingHours: z.array(WorkingHours).min(1).max(28).nullable().default(null).meta({ description: 'null: all hours count.' }),
  holidays: z.array(z.iso.date('must be a date such as 2026-12-25')).max(1_000).check(distinct).default([]).meta({ description: 'Whole days that do not count.', uniqueItems: true }),
});
export type SlaHours = z.infer<typeof SlaHours>;

/** What a missed deadline does beside being told. */
export const SlaAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('raise-priority'), to: Priority.optional().meta({ description: 'At least to this one; without it by one.' }) }),
  z.strictObject({ type: z.literal('reassign'), to: AssigneeInput.nullable().meta({ description: 'null: to nobody, which the assignment rules change.' }) }),
  z.strictObject({
    type: z.literal('notify'),
    assignee: z.boolean().default(true).meta({ description: 'Whoever has the ticket then.' }),
    memberIds: z.array(PersonId).max(100).check(distinct).default([]).meta({ uniqueItems: true }),
  }),
]);
export type SlaAction = z.infer<typeof SlaAction>;

const distinctTypes = ({ value, issues }: z.core.ParsePayload<{ type: string }[]>) => {
  for (const [i, { type }] of value.entries()) {
    if (value.findIndex((one) => one.type === type) < i) issues.push({ code: 'custom', path: [i, 'type'], message: 'is named before', input: type, params: { code: 'duplicate' } });
  }
};

/** Body of `POST /sla-policies` and of `PUT /sla-policies/{id}`. That members and assistants exist is the service's to check. */
export const SlaPolicyInput = z.strictObject({
  name: trimmedText(255),
  enabled: z.boolean().default(true),
  condition: z
    .strictObject({ assistantIds: z.array(Slug).min(1).max(100).check(distinct).optional().meta({ description: 'The ticket is of one of these assistants.', uniqueItems: true }) })
    .default({})
    .meta({ description: 'Which tickets it is for: without anything for every one.' }),
  targets: SlaTargets,
  hours: SlaHours.default({ timeZone: 'UTC', workingHours: null, holidays: [] }),
  warnAtPercent: z.number().int().min(1).max(99).default(80).meta({ description: 'Of the time, after which a deadline is near.' }),
  onMissed: z.array(SlaAction).max(3).check(distinctTypes).default([]),
});
export type SlaPolicyInput = z.infer<typeof SlaPolicyInput>;

/** A policy of an organisation: of those that are enabled, the first that is for a ticket decides on its deadlines, alone. */
export const SlaPolicy = z.object({
  id: Uuid,
  ...SlaPolicyInput.shape,
  since: Time.meta({ description: 'When it was made, or enabled again. Time before that counts for no ticket; a change of the policy leaves it.' }),
});
export type SlaPolicy = z.infer<typeof SlaPolicy>;

/** Answer of `GET /sla-policies`, in the order in which they are asked. */
export const SlaPolicies = z.object({ items: z.array(SlaPolicy) });
export type SlaPolicies = z.infer<typeof SlaPolicies>;

/** Body of `PUT /sla-policies/order`: all policies, each once. */
export const SlaPolicyOrder = z.strictObject({ ids: z.array(Uuid).max(maxSlaPolicies).check(distinct).meta({ uniqueItems: true }) });
export type SlaPolicyOrder = z.infer<typeof SlaPolicyOrder>;

const Who = Actor.pick({ type: true, id: true });

const news = {
  orgId: Slug,
  ticketId: Uuid,
  revision: z.number().int().positive().meta({ description: 'Rises with every message of the ticket; the newest one’s `deadlines` count, whatever the order of arrival.' }),
  version: z.number().int().positive().meta({ description: 'The newest version of the ticket that mattered for them.' }),
  at: Time.meta({ description: 'When it was found out.' }),
  deadlines: TicketDeadlines,
  sight: z.object({ assistantId: Ticket.shape.assistantId, assignee: Who.nullable(), createdBy: Who }).meta({ description: 'What decides who sees the ticket, at that version.' }),
  called: Ticket.pick({ number: true, title: true }).optional().meta({ description: 'What people call the ticket, at that version.' }),
};
const one = {
  ...news,
  deadline: z.object({
    kind: DeadlineKind,
    since: z.number().int().positive().meta({ description: 'The version of the ticket that it began with. Kind and this tell it from all other deadlines of the ticket.' }),
    dueAt: Time,
  }),
  policy: z.object({ id: Uuid, name: z.string() }),
};

/** Values of the messages on `ticket.deadlines.v1`, by `ce_type`. Each has all deadlines of the ticket, as they are after it. */
export const deadlineValue = {
  'ticket.deadlines-changed.v1': z.object(news),
  'ticket.deadline-warning.v1': z.object(one),
  'ticket.deadline-missed.v1': z.object({
    ...one,
    tell: z.array(Who).optional().meta({ description: 'Whom the policy wants to be told, in so far as they may see the ticket.' }),
  }),
  'ticket.deadline-met.v1': z.object(one),
} as const;
export type DeadlineMessageType = keyof typeof deadlineValue;
export type DeadlineNews<T extends DeadlineMessageType = DeadlineMessageType> = { [K in T]: { type: K } & z.infer<(typeof deadlineValue)[K]> }[T];

export const isDeadlineMessageType = (type: string | undefined): type is DeadlineMessageType => type !== undefined && Object.hasOwn(deadlineValue, type);

/** What somebody hears of deadlines on a stream. It has no place of its own there: who was away reads the ticket. */
export const DeadlineTold = z.object({
  ticketId: Uuid,
  version: news.version,
  type: z.enum(['deadlines-changed', 'deadline-warning', 'deadline-missed', 'deadline-met']),
  at: Time,
  deadline: z.object({ kind: DeadlineKind, dueAt: Time }).optional(),
  deadlines: TicketDeadlines,
});
export type DeadlineTold = z.infer<typeof DeadlineTold>;
