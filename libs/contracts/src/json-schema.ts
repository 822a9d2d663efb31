import { z } from 'zod';
import { DirectoryEntry, directoryType } from './directory.js';
import { CommandResult } from './result.js';
import { commandValue, type CommandType } from './ticket.commands.js';
import { eventValue, type EventType } from './ticket.events.js';
import { resultType } from './topics.js';

/** `ce_type` of every message on our own topics. */
export type MessageType = CommandType | EventType | typeof resultType | typeof directoryType;

/** Schema of every message's value, by `ce_type`. */
export const messageValue: Readonly<Record<MessageType, z.ZodType>> = {
  ...commandValue,
  ...eventValue,
  [resultType]: CommandResult,
  [directoryType]: DirectoryEntry,
};

/**
 * JSON Schema (draft 2020-12) of a message's value. What no schema can say is left out: well-formed Unicode, sums, the order of things.
 * @param io `input`: what may be on the wire (default); `output`: what a consumer has once it has read it
 */
export const jsonSchemaOf = (type: MessageType, io: 'input' | 'output' = 'input'): z.core.JSONSchema.BaseSchema => ({
  ...z.toJSONSchema(messageValue[type], { io, target: 'draft-2020-12' }),
  $id: `/schemas/${type}.json`,
  title: type,
});
