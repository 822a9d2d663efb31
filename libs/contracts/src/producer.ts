import { z } from 'zod';
import { Slug, text } from './text.js';
import { commandData, type CommandType } from './ticket.commands.js';

/** What a command is called where people name it: `create` of `ticket.create.v1`. */
export const commandVerbOf = (type: CommandType) => type.slice('ticket.'.length, -'.v1'.length);
export const commandVerbs = (Object.keys(commandData) as CommandType[]).map(commandVerbOf);
export const CommandVerb = z.enum(commandVerbs);

/** `ce_type` of the command that is called so. */
export const commandTypeOf = (verb: string) => `ticket.${verb}.v1` as CommandType;

/**
 * What one organisation lets an outside system do. The system is named by its topics, `ticket.inbound.<id>.v1`; several organisations may each grant
 * the same system something.
 */
export const Producer = z.object({
  id: Slug.meta({ description: 'The outside system, as its topics name it.' }),
  name: text(255, 1).meta({ description: 'What histories call it.' }),
  commands: z.array(CommandVerb).min(1).meta({ description: 'The commands it may send.' }),
  assistantIds: z.array(Slug).max(10_000).meta({ description: 'Whose tickets it may file and work on, beside those it made itself.' }),
});
export type Producer = z.infer<typeof Producer>;
