import { describe, expect, it } from '@jest/globals';
import { limits, type TicketFact } from '#contracts';
import { ada, assigneeOf, commandId, grace, linus, orgId, ticketId } from '../../contracts/testing/builders.js';
import { append, assign, changeTo, create, created, deleted, grown, inStatus, movedTo, recordCall, remove, replied, report, restore, restored, update, write } from '../testing/histories.js';
import { given, minute, noon, stateOf } from '../testing/scenarios.js';
import { evolve, initial } from './index.js';

const comment = (kind: 'comment' | 'note' | 'reply', version: number) => ({
  id: commandId,
  kind,
  body: 'Have you tried water?',
  author: ada.actor,
  at: noon,
  version,
  ...(kind === 'reply' && { delivery: { state: 'pending' as const } }),
});

describe('ticket: create', () => {
  it('fills in what the caller left out', () =>
    given().when(create({ title: 'Printer on fire' })).then(created(), {
      id: ticketId,
      number: 1042,
      status: 'open',
      channel: 'api',
      createdBy: ada.actor,
      createdAt: noon,
      firstRepliedAt: null,
      resolvedAt: null,
      closedAt: null,
      commentCount: 0,
    }));

  it('keeps all that the caller said', () => {
    const told = {
      title: 'T',
      description: 'D',
      priority: 'urgent' as const,
      assistantId: 'billing-bot',
      requester: { id: 'r1', name: 'Rita', email: 'rita@example.com' },
      tags: ['vip', 'fire'],
      customFields: { plan: 'gold', seats: 3, paid: true },
      assignee: assigneeOf(grace),
      externalId: 'ERP-1',
      followUpOf: '0196f0a0-0000-7000-8000-0000000000ff',
    };
    given().when(create(told)).then({ type: 'ticket.created.v1', data: told }, told);
  });

  it('takes a requester of whom nothing is known for none', () => given().when(create({ title: 'T', requester: {} })).then(created({ title: 'T' })));

  it('gives messages without a time the time of the decision and keeps the others', () => {
    const messages = [
      { id: 'm1', role: 'user' as const, content: 'Help!' },
      { id: 'm2', role: 'assistant' as const, content: 'Coming.', at: minute(1), name: 'Bot' },
    ];
    const dated = [{ ...messages[0]!, at: noon }, messages[1]! as (typeof messages)[1] & { at: string }];
    given().when(create({ title: 'T', conversation: { messages } })).then(created({ title: 'T', conversation: { messages: dated } }));
    expect(given().when(create({ title: 'T', conversation: { messages } })).state()).toMatchObject({ messages: 2 });
  });

  it('refuses a ticket that exists', () => given(created()).when(create({ title: 'T' })).thenRejected('already-exists'));
  it('refuses a ticket that was deleted', () => given(created(), deleted).when(create({ title: 'T' })).thenRejected('already-exists'));
  it('refuses an expected version of what does not exist', () =>
    given().when(create({ title: 'T' }, { expectedVersion: 1 })).thenRejected('version-conflict', { current: 0 }));
});

describe('ticket: comments', () => {
  it.each([
    ['comment', 1],
    ['note', 0],
    ['reply', 1],
  ] as const)('a %s bears the command’s id and adds %d to commentCount', (kind, count) =>
    given(created()).when(write(kind)).then({ type: 'ticket.comment-added.v1', data: { comment: comment(kind, 2) } }, { commentCount: count }),
  );

  it('a move may bring a comment of its own', () =>
    given(created())
      .when(changeTo('pending', {}, 'Have you tried water?'))
      .then({ type: 'ticket.status-changed.v1', data: { from: 'open', to: 'pending', comment: comment('comment', 2) } }, { status: 'pending', commentCount: 1 }));

  it('the first reply sets firstRepliedAt', () =>
    given(created()).when(write('reply')).then({ type: 'ticket.comment-added.v1', data: { comment: comment('reply', 2) } }, { firstRepliedAt: noon }));
  it('later replies leave firstRepliedAt', () =>
    given(created(), replied('r1', { at: minute(2) }))
      .when(write('reply'))
      .then({ type: 'ticket.comment-added.v1', data: { comment: comment('reply', 3) } }, { firstRepliedAt: minute(2), commentCount: 2 }));
  it.each(['comment', 'note'] as const)('a %s is no reply', (kind) =>
    given(created()).when(write(kind)).then({ type: 'ticket.comment-added.v1', data: { comment: comment(kind, 2) } }, { firstRepliedAt: null }));

  it('takes the 5,000th, notes counted, and not the next', () => {
    const full = { commentCount: limits.comments - 10, notes: 9 };
    given(grown(full)).when(write('note')).then({ type: 'ticket.comment-added.v1', data: { comment: comment('note', 2) } });
    for (const kind of ['comment', 'note', 'reply'] as const) given(grown({ ...full, notes: 10 })).when(write(kind)).thenRejected('ticket-too-large');
    given(grown({ ...full, notes: 10 })).when(changeTo('pending', {}, 'Full?')).thenRejected('ticket-too-large');
    given(grown({ ...full, notes: 10 })).when(changeTo('pending')).then({ type: 'ticket.status-changed.v1', data: { from: 'open', to: 'pending' } });
  });
});

describe('ticket: assignment', () => {
  const changed = (from: unknown, to: unknown, reason: string, others = {}) =>
    ({ type: 'ticket.assignee-changed.v1', data: { from, to, reason, ...others } }) as TicketFact;
  const [toGrace, toLinus] = [assigneeOf(grace), assigneeOf(linus)];

  it('assigns', () => given(created()).when(assign({ to: toGrace })).then(changed(null, toGrace, 'manual'), { assignee: toGrace }));
  it('releases', () => given(created({ assignee: toGrace })).when(assign({ to: null })).then(changed(toGrace, null, 'manual'), { assignee: null }));
  it('knows who takes a ticket themselves', () => given(created()).when(assign({ to: assigneeOf(ada) })).then(changed(null, assigneeOf(ada), 'self')));
  it('keeps the reason and the explanation it is given', () =>
    given(created())
      .when(assign({ to: toGrace, reason: 'rule', explanation: { rule: 7 } }))
      .then(changed(null, toGrace, 'rule', { explanation: { rule: 7 } })));

  it('changes nothing for the same assignee, under a new name too', () => {
    given(created({ assignee: toGrace })).when(assign({ to: toGrace })).thenUnchanged();
    given(created({ assignee: toGrace })).when(assign({ to: { ...toGrace, name: 'Grace H.' } })).thenUnchanged();
    given(created()).when(assign({ to: null })).thenUnchanged();
  });
  it('tells a member from an assistant of the same id', () =>
    given(created({ assignee: toGrace })).when(assign({ to: { ...toGrace, type: 'agent' } })).then(changed(toGrace, { ...toGrace, type: 'agent' }, 'manual')));

  it('assigns when the assignee is still the one named', () => {
    given(created({ assignee: toGrace })).when(assign({ to: toLinus, ifAssignee: { type: 'member', id: 'grace' } })).then(changed(toGrace, toLinus, 'manual'));
    given(created()).when(assign({ to: toLinus, ifAssignee: null })).then(changed(null, toLinus, 'manual'));
  });
  it('changes nothing when it no longer is', () => {
    given(created({ assignee: toGrace })).when(assign({ to: toLinus, ifAssignee: { type: 'member', id: 'ada' } })).thenUnchanged();
    given(created({ assignee: toGrace })).when(assign({ to: toLinus, ifAssignee: null })).thenUnchanged();
    given(created()).when(assign({ to: toLinus, ifAssignee: { type: 'member', id: 'grace' } })).thenUnchanged();
  });
  it('changes nothing by a rule when the ticket is no work any more: it was chosen for a moment that is over', () => {
    const byRule = assign({ to: toGrace, reason: 'rule' });
    const [begun, done, closed] = [movedTo('open', 'pending'), movedTo('pending', 'resolved'), movedTo('resolved', 'closed')];
    given(created(), begun).when(byRule).then(changed(null, toGrace, 'rule'));
    for (const over of [[begun, done], [begun, done, closed]]) {
      given(created(), ...over).when(byRule).thenUnchanged();
      given(created(), ...over).when(assign({ to: toGrace })).then(changed(null, toGrace, 'manual'));
    }
  });
});

describe('ticket: conversation and tool calls', () => {
  const messages = [{ id: 'm1', role: 'user' as const, content: 'Help!' }];

  it('appends messages with the time of the decision', () =>
    given(created()).when(append({ messages })).then({ type: 'ticket.conversation-appended.v1', data: { messages: [{ ...messages[0]!, at: noon }] } }));
  it('takes the 10,000th message and not the next', () => {
    const last = { type: 'ticket.conversation-appended.v1' as const, data: { messages: [{ ...messages[0]!, at: noon }] } };
    given(grown({ messages: limits.messages - 1 })).when(append({ messages })).then(last);
    given(grown({ messages: limits.messages })).when(append({ messages })).thenRejected('ticket-too-large');
    expect(given(grown({ messages: 7 })).when(append({ messages })).state().messages).toBe(8);
  });
  it('records a tool call as it is', () => {
    const call = { tool: 'look-up', arguments: { id: [1, null] }, status: 'error' as const, result: null, durationMs: 12, model: 'm', correlationId: 'c' };
    given(created()).when(recordCall(call)).then({ type: 'ticket.tool-call-recorded.v1', data: call });
  });
});

describe('ticket: delivery of replies', () => {
  const delivery = (state: 'delivered' | 'failed', commentId = commandId) => ({ commentId, state, channel: 'email' });

  it.each(['delivered', 'failed'] as const)('takes the report that a reply is %s', (state) =>
    given(created(), replied(commandId))
      .when(report(delivery(state)))
      .then({ type: 'ticket.reply-delivery-reported.v1', data: delivery(state) }));
  it('takes reports until one says delivered', () => {
    const reported = (state: 'delivered' | 'failed'): TicketFact => ({ type: 'ticket.reply-delivery-reported.v1', data: delivery(state) });
    given(created(), replied(commandId), reported('failed')).when(report(delivery('delivered'))).then(reported('delivered'));
    given(created(), replied(commandId), reported('delivered')).when(report(delivery('failed'))).thenRejected('not-found');
  });
  it('refuses reports of what is no reply of this ticket', () => {
    given(created(), replied('r1')).when(report(delivery('delivered'))).thenRejected('not-found');
    given(created(), replied(commandId, { kind: 'comment' })).when(report(delivery('delivered'))).thenRejected('not-found');
  });
});

describe('ticket: delete and restore', () => {
  it.each(['open', 'pending', 'resolved', 'closed'] as const)('deletes and restores a ticket that is %s', (status) => {
    given(...inStatus(status)).when(remove({ reason: 'spam' })).then({ type: 'ticket.deleted.v1', data: { reason: 'spam' } }, { status });
    given(...inStatus(status), deleted).when(restore({})).then(restored, { status });
    expect(given(...inStatus(status)).when(remove({})).state().deleted).toBe(true);
    expect(given(...inStatus(status), deleted).when(restore({})).state().deleted).toBe(false);
  });
  it('restoring what is not deleted changes nothing', () => given(created()).when(restore({})).thenUnchanged());
});

describe('ticket: evolve', () => {
  it('refuses a history that does not begin with a creation', () =>
    expect(() => evolve(initial, { ...deleted, ticketId, version: 1, at: noon, actor: ada.actor, birth: { number: 1, channel: 'api' } })).toThrow(TypeError));
  it('keeps its birth through all that follows', () => {
    const state = stateOf(...inStatus('closed'), deleted, restored);
    expect(state).toMatchObject({ ticket: { number: 1042, channel: 'api', createdBy: ada.actor, createdAt: minute(1), updatedAt: minute(6), version: 6 } });
  });
  it('does not know organisations: they are the store’s affair', () => expect(JSON.stringify(stateOf(created()))).not.toContain(orgId));
  it('an update that meets the ticket as it is leaves no event', () => given(created()).when(update({ title: 'Printer on fire' })).thenUnchanged());
});
