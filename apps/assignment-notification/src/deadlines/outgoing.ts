import { v5 } from 'uuid';
import { topics, type AssigneeInput, type CommandType, type DeadlineNews, type DeadlineMessageType, type Priority, type Ticket } from '#contracts';
import { toHeaders, type OutgoingRecord } from '#messaging';
import { commandRecord, commandText, type Sender } from '../commands.js';
import type { People } from '../directory/directory.store.js';
import type { Consequence, Watched } from './watch.policy.js';

/** Something that is to be sent, as it is stored before: the same bytes under the same id, however often. */
export interface Outgoing {
  id: string;
  type: DeadlineMessageType | CommandType;
  /** Value of its record. */
  text: string;
  at: Date;
}

/** Part of what ids of commands derive from: never change it. */
const namespace = 'c8f1d9f2-3f7e-4a35-9a53-8a4be1d0c6e7';

/** Histories show it, and it may do with any ticket of the organisation what policies say. */
const policiesThemselves: Sender = { actor: { type: 'system', id: 'deadlines', name: 'Deadlines' }, access: { role: 'admin', assistantIds: [] } };

const priorities: readonly Priority[] = ['low', 'normal', 'high', 'urgent'];

/** A message about deadlines. */
export function messageOf({ type, ...value }: DeadlineNews): Outgoing {
  return { id: idOf({ type, ...value } as DeadlineNews), type, text: JSON.stringify(value), at: new Date(value.at) };
}

/** What was told of a deadline once has one id for ever. */
function idOf(news: DeadlineNews): string {
  if (news.type === 'ticket.deadlines-changed.v1') return `${news.ticketId}:deadlines:${news.revision}`;
  const { ticketId, type, version, deadline: { kind, since } } = news;
  const what = type.slice('ticket.deadline-'.length, -'.v1'.length);
  return `${ticketId}:${kind}:${since}:${what}${what === 'met' ? `:${version}` : ''}`;
}

/** The command that a policy sends because a deadline was missed; none where nothing is left to do, or there is nobody of that name any more. */
export function commandsOf(watched: Watched, { kind, since, dueAt, policy, action }: Consequence, { people, now }: { people: People; now: number }): Outgoing[] {
  const { ticketId, clocks } = watched;
  const command = { id: v5(`${ticketId}:${kind}:${since}/${policy.id}/${action.type}`, namespace), at: new Date(now) };
  if (action.type === 'raise-priority') {
    const priority = raised(clocks.priority, action.to);
    if (priority === clocks.priority) return [];
    return [{ ...command, type: 'ticket.update-details.v1', text: commandText<'ticket.update-details.v1'>(policiesThemselves, watched, { priority, ifPriority: clocks.priority }) }];
  }
  const to = action.to && known(action.to, people);
  if (to === undefined) return [];
  const { assignee } = clocks;
  const ifAssignee = assignee && { type: assignee.type, id: assignee.id };
  const explanation = { policy, deadline: { kind, dueAt: new Date(dueAt).toISOString() } };
  return [{ ...command, type: 'ticket.assign.v1', text: commandText<'ticket.assign.v1'>(policiesThemselves, watched, { to, reason: 'rule', ifAssignee, explanation }) }];
}

/** The record of what is to be sent about a ticket. */
export function recordOf(place: { orgId: string; ticketId: string }, { id, type, text, at }: Outgoing): OutgoingRecord {
  if (!type.startsWith('ticket.deadline')) return commandRecord(type as CommandType, place, { commandId: id, command: text, at });
  const { orgId, ticketId } = place;
  return { topic: topics.deadlines, key: ticketId, value: text, headers: toHeaders({ id, type, source: '/assignment-notification', subject: ticketId, time: at.toISOString(), orgId }) };
}

function raised(now: Ticket['priority'], to: Priority | undefined): Priority {
  const rank = priorities.indexOf(now);
  const wanted = to === undefined ? Math.min(rank + 1, priorities.length - 1) : priorities.indexOf(to);
  return priorities[Math.max(rank, wanted)]!;
}

function known({ type, id }: AssigneeInput, { members, assistants }: People) {
  const name = (type === 'member' ? members : assistants).get(id)?.name;
  return name === undefined ? undefined : { type, id, name };
}
