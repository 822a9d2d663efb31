import { z } from 'zod';
import { distinct, Instant, Slug, text, Time, trimmedText } from './text.js';
import { commandData, type CommandType } from './ticket.commands.js';
import { inboundResultsTopic, inboundTopic, outboundTopic } from './topics.js';

/** What a command is called where people name it: `create` of `ticket.create.v1`. */
export const commandVerbOf = (type: CommandType) => type.slice('ticket.'.length, -'.v1'.length);
export const commandVerbs = (Object.keys(commandData) as CommandType[]).map(commandVerbOf);
export const CommandVerb = z.enum(commandVerbs);

/** `ce_type` of the command that is called so. */
export const commandTypeOf = (verb: string) => `ticket.${verb}.v1` as CommandType;

/** How an outside system is told what happens on the tickets that it may know of, on its topic `ticket.outbound.<id>.v1`. */
export const Outbound = z.object({
  from: Time.meta({ description: 'Events from then on. The same time goes on with what was begun; another one begins anew, with what was told before, too.' }),
  notes: z.boolean().meta({ description: 'Whether it is told of notes, which are for the team only.' }),
});
export type Outbound = z.infer<typeof Outbound>;

/** The same as it is asked for. */
const OutboundInput = z.strictObject({
  from: Instant.optional().meta({ description: 'Events from then on; without it from when it was asked for first. The same time goes on with what was begun; another one begins anew.' }),
  notes: Outbound.shape.notes.default(false),
});

/**
 * What one organisation lets an outside system do. The system is named by its topics, `ticket.inbound.<id>.v1`; several organisations may each grant
 * the same system something.
 */
export const Producer = z.object({
  id: Slug.meta({ description: 'The outside system, as its topics name it.' }),
  name: text(255, 1).meta({ description: 'What histories call it.' }),
  commands: z.array(CommandVerb).min(1).meta({ description: 'The commands it may send.' }),
  assistantIds: z.array(Slug).max(10_000).meta({ description: 'Whose tickets it may file and work on, beside those it made itself.' }),
  outbound: Outbound.optional().meta({ description: 'It is told what happens on these tickets. Missing where it did not ask.' }),
});
export type Producer = z.infer<typeof Producer>;

/** What histories call our own parts: a system of such a name could pass for one of them. */
const ourOwn = ['assignment', 'assignment-notification', 'console', 'deskstream', 'gateway', 'mail', 'query-search', 'ticket-command'];

/** Name of an outside system that is to be registered. */
export const SystemId = Slug.refine((id) => !ourOwn.includes(id.toLowerCase()), { error: 'is the name of a part of Deskstream', params: { code: 'reserved' } }).meta({
  description: 'The outside system, as its topics name it. Upper and lower case differ.',
});

/** Body of `PUT /producers/{id}`. That the assistants exist is the door's to check. */
export const ProducerGrant = z.strictObject({
  name: trimmedText(255).meta({ description: 'What histories call it.' }),
  commands: z.array(CommandVerb).min(1).check(distinct).meta({ description: 'The commands it may send.', uniqueItems: true }),
  assistantIds: z
    .array(Slug)
    .max(10_000)
    .check(distinct)
    .default([])
    .meta({ description: 'Whose tickets it may file and work on, beside those it made itself.', uniqueItems: true }),
  outbound: OutboundInput.optional().meta({ description: 'Has it told what happens on these tickets; without it, it is told nothing.' }),
});
export type ProducerGrant = z.infer<typeof ProducerGrant>;

/** Body of `POST /producers`. */
export const NewProducer = ProducerGrant.extend({ id: SystemId });
export type NewProducer = z.infer<typeof NewProducer>;

/** What an organisation lets an outside system do, as administrators see it. */
export const RegisteredProducer = Producer.extend({
  topics: z.object({
    inbound: z.string().meta({ description: 'Where the system sends its commands.' }),
    results: z.string().meta({ description: 'Where it is told what became of them.' }),
    outbound: z.string().optional().meta({ description: 'Where it is told what happens, if it asked for that.' }),
  }),
  managedBy: z.enum(['administrators', 'file']).meta({ description: '`file`: every start of a gateway puts it back to what the installation’s file says.' }),
});
export type RegisteredProducer = z.infer<typeof RegisteredProducer>;

/** Answer of `GET /producers`, by id. */
export const Producers = z.object({ items: z.array(RegisteredProducer) });
export type Producers = z.infer<typeof Producers>;

/** What whoever looks after a system has to know of its topics. */
export const topicsOfSystem = ({ id, outbound }: Pick<Producer, 'id' | 'outbound'>) => ({ inbound: inboundTopic(id), results: inboundResultsTopic(id), ...(outbound && { outbound: outboundTopic(id) }) });

/** File that registers outside systems at the start of a gateway (`PRODUCERS_FILE`). */
export const ProducersSeed = z.strictObject({
  organisations: z.array(z.strictObject({ id: Slug, producers: z.array(NewProducer) })),
});
export type ProducersSeed = z.infer<typeof ProducersSeed>;
