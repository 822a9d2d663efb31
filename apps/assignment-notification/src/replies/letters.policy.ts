import type { RequesterUpdates, TicketEvent, UpdateKind } from '#contracts';

/** What a requester is to read, and as what. */
export interface Letter {
  kind: 'reply' | UpdateKind;
  /** Tells it from the others of its ticket. */
  name: string;
  text: string;
  commentId?: string;
}

/** Texts where nobody has said another. */
const ours: Record<UpdateKind, string> = {
  received: 'Hello {{name}},\n\nwe have received your request "{{title}}". Its number is #{{number}}.\nTo add something, just answer this e-mail.',
  resolved: 'Hello {{name}},\n\nyour request #{{number}} "{{title}}" is resolved.\nIf something is still open, just answer this e-mail.',
  reopened: 'Hello {{name}},\n\nyour request #{{number}} "{{title}}" is open again. We will get back to you.',
  closed: 'Hello {{name}},\n\nyour request #{{number}} "{{title}}" is closed. If you need us again, just write to us.',
};

/**
 * What the requester is told of an event: replies always, updates where an administrator has switched them on. Whoever wrote us an e-mail is told that it arrived
 * unless that was switched off. Comments and notes are for the team.
 */
export function letterOf(event: TicketEvent, settings: { updates: RequesterUpdates | undefined; assistant: string }): Letter | undefined {
  if (event.type !== 'ticket.comment-added.v1') return updateLetter(event, settings);
  const { id: commentId, kind, body } = event.data.comment;
  return kind === 'reply' ? { kind, name: `reply/${commentId}`, text: body, commentId } : undefined;
}

function updateLetter(event: TicketEvent, { updates, assistant }: Parameters<typeof letterOf>[1]): Letter | undefined {
  const kind = updateOf(event);
  if (kind === undefined) return undefined;
  const { enabled, text } = updates?.[kind] ?? { enabled: kind === 'received' && event.ticket.channel === 'email', text: null };
  return enabled ? { kind, name: `${kind}/${event.version}`, text: filled(text ?? ours[kind], event, assistant) } : undefined;
}

function updateOf(event: TicketEvent): UpdateKind | undefined {
  if (event.type === 'ticket.created.v1') return 'received';
  if (event.type !== 'ticket.status-changed.v1') return undefined;
  const { from, to } = event.data;
  if (to === 'resolved' || to === 'closed') return to;
  return to === 'open' && from === 'resolved' ? 'reopened' : undefined;
}

/** What is filled in is not looked at again: a title with a placeholder stays as it is. */
function filled(text: string, { ticket }: TicketEvent, assistant: string): string {
  const values: Record<string, string> = { name: ticket.requester?.name ?? '', number: String(ticket.number), title: ticket.title, assistant };
  return text.replace(/\{\{(name|number|title|assistant)\}\}/g, (_, name: string) => values[name]!).replace(/^Hello ,/, 'Hello,');
}

/** Who never reads: programs that answer them would go on for ever. */
export const isMachine = (address: string): boolean => /^(mailer-daemon|postmaster|(no|do-?not)[-._]?reply|bounces?)([-+._][^@]*)?@/i.test(address);
