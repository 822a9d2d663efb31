import type { Actor, Comment, KnownMember, NoticeData, NoticeKind, Principal, Ticket, TicketEvent } from '#contracts';
import { is, lacks, sees } from '#domain';

/** What decides who sees a ticket. */
export type Sight = Pick<Ticket, 'assistantId'> & { assignee: Pick<Actor, 'type' | 'id'> | null; createdBy: Pick<Actor, 'type' | 'id'> };

/** Something that happened and may concern somebody. */
export type Happening = { [K in NoticeKind]: { kind: K; data: NoticeData<K>; isNote: boolean } }[NoticeKind];

/** A text that people may be mentioned in, with what it is. */
export interface Writing {
  text: string;
  happening: (Happening & { kind: 'mentioned' });
}

const excerptLength = 280;
/** No text is folded further than it can be shown. */
export const excerptOf = (text: string) => [...text.slice(0, 4_000).replace(/\s+/g, ' ').trim()].slice(0, excerptLength).join('');

/** What a member writes themselves, or what is said for the team: nobody outside can call for somebody by name. */
export function writingIn(event: TicketEvent): Writing | undefined {
  if (event.type === 'ticket.comment-added.v1') return commented(event.data.comment);
  if (event.type === 'ticket.status-changed.v1') return event.data.comment && commented(event.data.comment);
  return event.actor.type === 'member' ? describedIn(event) : undefined;
}

function describedIn(event: TicketEvent): Writing | undefined {
  if (event.type === 'ticket.created.v1') return described(event.data.description);
  const description = event.type === 'ticket.details-updated.v1' ? event.data.changes['description'] : undefined;
  return typeof description?.to === 'string' ? described(description.to) : undefined;
}

const commented = ({ id, kind, body }: Comment): Writing => ({ text: body, happening: { kind: 'mentioned', data: { where: kind, commentId: id, excerpt: excerptOf(body) }, isNote: kind === 'note' } });
const described = (text: string): Writing => ({ text, happening: { kind: 'mentioned', data: { where: 'description', commentId: null, excerpt: excerptOf(text) }, isNote: false } });

/** Whom an event concerns, the weightiest of what it is to them first. Mentions are not among it: who is meant is to be looked up. */
export function concernedBy(event: TicketEvent): Map<string, Happening[]> {
  const concerned = new Map<string, Happening[]>();
  const tell = (whom: Pick<Actor, 'type' | 'id'> | null, happening: Happening) => {
    if (whom?.type !== 'member') return;
    const known = concerned.get(whom.id) ?? [];
    if (!known.some(({ kind }) => kind === happening.kind)) concerned.set(whom.id, [...known, happening]);
  };
  const { ticket } = event;
  if (event.type === 'ticket.created.v1') tell(ticket.assignee, { kind: 'assigned', data: {}, isNote: false });
  if (event.type === 'ticket.assignee-changed.v1') tell(event.data.to, { kind: 'assigned', data: { reason: event.data.reason }, isNote: false });
  if (event.type === 'ticket.conversation-appended.v1') {
    const last = event.data.messages.findLast(({ role }) => role === 'user');
    if (last) tell(ticket.assignee, { kind: 'requester-replied', data: { excerpt: excerptOf(last.content) }, isNote: false });
  }
  if (event.type === 'ticket.status-changed.v1') for (const whom of [ticket.assignee, ticket.createdBy]) tell(whom, { kind: 'status', data: { from: event.data.from, to: event.data.to }, isNote: false });
  return concerned;
}

/** Whether somebody did it themselves, or it was done for them. */
export const isOwn = ({ actor, onBehalfOf }: Pick<TicketEvent, 'actor' | 'onBehalfOf'>, memberId: string) => [actor, onBehalfOf].some((one) => is(one, { type: 'member', id: memberId }));

/** A member as the policy sees them who judges whether they see a ticket of this assistant. */
export function askerOf({ id, name, role }: KnownMember, ofAssistant: { id: string; memberIds: readonly string[] } | undefined): Pick<Principal, 'actor' | 'access'> {
  return { actor: { type: 'member', id, name }, access: { role, assistantIds: ofAssistant?.memberIds.includes(id) ? [ofAssistant.id] : [] } };
}

/** Whether somebody may hear of something about a ticket; of the organisation's affairs without one. */
export function mayHear(asker: Pick<Principal, 'actor' | 'access'>, sight: Sight | null, isNote: boolean): boolean {
  if (sight === null) return lacks(asker, 'administer') === null;
  return sees(asker, sight as Ticket) && lacks(asker, 'read') === null && (!isNote || lacks(asker, 'read-notes') === null);
}
