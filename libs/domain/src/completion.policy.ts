import type { Actor, Assignee, AssigneeInput, BodyOf, CommandData, MessageInput } from '#contracts';
import type { Roster } from './roster.js';

/** What a door knows and a caller does not say: who is in the organisation, who calls, and the id of the command that is made. */
export interface AtDoor {
  roster: Roster;
  caller: Actor;
  commandId: string;
}

/** Data of a command that creates what a caller asked for. */
export function completedCreate({ assignee, conversation, ...data }: BodyOf<'create'>, door: AtDoor): CommandData<'ticket.create.v1'> {
  const assigned = assignee && resolvedAssignee(assignee, door);
  return {
    ...markedAssistant(data, door),
    ...(assigned && { assignee: assigned.to, ...(assigned.unknownAssignee && { unknownAssignee: assigned.unknownAssignee }) }),
    ...(conversation && { conversation: { messages: withIds(conversation.messages, door.commandId) } }),
  };
}

/** Who is meant, by name. Nobody of that name is refused where the command is decided, since a repeat must meet its first answer. */
export function resolvedAssignee(wanted: AssigneeInput, { roster, caller }: Pick<AtDoor, 'roster' | 'caller'>): { to: Assignee; unknownAssignee?: true } {
  const known = roster.assignee(wanted, caller);
  return known ? { to: known } : { to: { ...wanted, name: '' }, unknownAssignee: true };
}

/** The data, marked when there is no such assistant to file the ticket under; refused as an unknown assignee is. */
export function markedAssistant<T extends { assistantId?: string | null | undefined }>(data: T, { roster, caller }: Pick<AtDoor, 'roster' | 'caller'>): T & { unknownAssistant?: true } {
  if (data.assistantId == null) return data;
  return roster.assignee({ type: 'agent', id: data.assistantId }, caller) ? data : { ...data, unknownAssistant: true };
}

/** Gives messages that came without an id one of their own, the same in every repeat of the command. */
export const withIds = (messages: readonly MessageInput[], commandId: string) =>
  messages.map((message, index) => (message.id === undefined ? { ...message, id: `${commandId}:${index}` } : message));
