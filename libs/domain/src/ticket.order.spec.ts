import { describe, expect, it } from '@jest/globals';
import type { CommandType, RejectionName, Scope, Status } from '#contracts';
import { ada, agent, assigneeOf, billingBot, commandId, everyScope, grace, linus } from '../../contracts/testing/builders.js';
import { append, assign, changeTo, create, created, deleted, everyCommand, inStatus, recordCall, replied, restore, restored, update, write } from '../testing/histories.js';
import { decide, Rejection } from '#domain';
import { given, minute, stateOf } from '../testing/scenarios.js';

type Existing = Exclude<CommandType, 'ticket.create.v1'>;
const commands = Object.entries(everyCommand) as [Existing, (typeof everyCommand)[Existing]][];
const own = { assistantId: 'billing-bot' };
const stale = { expectedVersion: 99 };

describe('ticket: every command on every status', () => {
  /** Refusals; what is not named here is accepted. */
  const closedRules: Partial<Record<Existing | 'reply' | 'note', Partial<Record<Status, RejectionName>>>> = {
    'ticket.change-status.v1': { pending: 'invalid-transition', resolved: 'invalid-transition', closed: 'invalid-transition' },
    'ticket.update-details.v1': { closed: 'ticket-closed' },
    'ticket.append-conversation.v1': { closed: 'ticket-closed' },
    'ticket.record-tool-call.v1': { closed: 'ticket-closed' },
    reply: { closed: 'ticket-closed' },
  };
  const all = [...commands, ['reply', () => write('reply')], ['note', () => write('note')]] as [keyof typeof closedRules, () => ReturnType<typeof write>][];

  it.each(all.flatMap(([name, command]) => (['open', 'pending', 'resolved', 'closed'] as const).map((status) => ({ name, status, command }))))(
    '$name on a ticket that is $status',
    ({ name, status, command }) => {
      const scenario = given(...inStatus(status), replied(commandId)).when(command());
      const refusal = closedRules[name]?.[status];
      if (refusal) scenario.thenRejected(refusal);
      else if (name === 'ticket.restore.v1') scenario.thenUnchanged();
      else scenario.state();
    },
  );

  it('an update of a closed ticket is refused even when it would change nothing', () =>
    given(...inStatus('closed')).when(update({ title: 'Printer on fire' })).thenRejected('ticket-closed'));
});

describe('ticket: who is told what', () => {
  it.each(commands)('%s on no ticket finds nothing, whoever asks', (_, command) => {
    given().when(command()).thenRejected('not-found', {});
    given().when(command({ by: agent('billing-bot') })).thenRejected('not-found', {});
  });

  it.each(commands)('%s on a ticket out of sight finds nothing, deleted or stale or not', (_, command) => {
    given(created(own)).when(command({ by: linus })).thenRejected('not-found', {});
    given(created(own)).when(command({ by: linus, ...stale })).thenRejected('not-found', {});
    given(created(own), deleted).when(command({ by: linus })).thenRejected('not-found', {});
  });

  it.each(commands.filter(([type]) => type !== 'ticket.restore.v1'))('%s on a deleted ticket is told so before its version', (_, command) => {
    given(created(), deleted).when(command()).thenRejected('gone', {});
    given(created(), deleted).when(command(stale)).thenRejected('gone', {});
  });

  it('may be restored for 30 days and no longer', () => {
    const day = 86_400_000;
    const command = restore({});
    const after = (ms: number) => () => decide(command, stateOf(created(), deleted), new Date(Date.parse(minute(2)) + ms).toISOString());
    expect(after(30 * day)()).toStrictEqual(restored);
    expect(after(30 * day + 1)).toThrow(Rejection);
  });
  it('assigning somebody whom the door did not find is refused', () => {
    given(created()).when(assign({ to: { type: 'member', id: 'x', name: '' }, unknownAssignee: true })).thenRejected('invalid-assignee');
  });
  it('filing under an assistant that the door did not find is refused, after access and version', () => {
    const nobody = { assistantId: 'nobody-bot', unknownAssistant: true as const };
    const told = { errors: [{ pointer: '/assistantId', code: 'unknown_assistant', message: 'must be an assistant of the organisation' }] };
    given().when(create({ title: 'T', ...nobody })).thenRejected('validation-failed', told);
    given().when(create({ title: 'T', ...nobody }, { by: grace })).thenRejected('forbidden');
    given(created()).when(update(nobody)).thenRejected('validation-failed', told);
    given(created(own)).when(update(nobody, { by: grace })).thenRejected('forbidden');
    given(created()).when(update(nobody, stale)).thenRejected('version-conflict');
  });
  it('a ticket may stay under an assistant that is gone', () => {
    const gone = { assistantId: 'gone-bot', unknownAssistant: true as const };
    given(created({ assistantId: 'gone-bot' })).when(update(gone)).thenUnchanged();
    given(created({ assistantId: 'gone-bot' })).when(update({ ...gone, title: 'T' })).state();
  });
  it('a restored ticket moves again', () => void given(created(), deleted, restored).when(changeTo('pending')).state());
});

const needs: Record<Existing, Scope | 'role member' | 'role admin'> = {
  'ticket.change-status.v1': 'tickets:transition',
  'ticket.add-comment.v1': 'tickets:write',
  'ticket.assign.v1': 'tickets:assign',
  'ticket.update-details.v1': 'tickets:write',
  'ticket.append-conversation.v1': 'tickets:write',
  'ticket.record-tool-call.v1': 'tickets:write',
  'ticket.report-reply-delivery.v1': 'role admin',
  'ticket.delete.v1': 'role member',
  'ticket.restore.v1': 'role admin',
};

describe('ticket: rights', () => {
  const missing = (need: string) => ({ missing: need.startsWith('role') ? need : `scope ${need}` });
  const agentWithout = (need: string) => agent('billing-bot', ...everyScope.filter((scope) => scope !== need));

  it.each(commands)('%s by an agent without the right to it is forbidden before its version is looked at', (type, command) => {
    given(created(own)).when(command({ by: agentWithout(needs[type]) })).thenRejected('forbidden', missing(needs[type]));
    given(created(own)).when(command({ by: agentWithout(needs[type]), ...stale })).thenRejected('forbidden', missing(needs[type]));
    given(created(own), deleted).when(command({ by: agentWithout(needs[type]) })).thenRejected('forbidden', missing(needs[type]));
  });

  it.each(commands.filter(([type]) => !needs[type].startsWith('role')))('%s by an agent with that scope alone is accepted', (type, command) => {
    given(created(own)).when(command({ by: agent('billing-bot', needs[type] as Scope) })).state();
  });

  it.each(commands)('%s by a member is accepted unless it takes an administrator', (type, command) => {
    const scenario = given(created(own), replied(commandId)).when(command({ by: grace }));
    if (needs[type] === 'role admin') scenario.thenRejected('forbidden', { missing: 'role admin' });
    else scenario.state();
  });

  it.each([
    ['note', 'notes:write'],
    ['reply', 'replies:write'],
  ] as const)('a %s takes the scope %s', (kind, scope) => {
    given(created(own)).when(write(kind, { by: agentWithout(scope) })).thenRejected('forbidden', { missing: `scope ${scope}` });
    given(created(own)).when(write(kind, { by: agent('billing-bot', scope) })).state();
  });

  it('a move with a comment takes both rights', () => {
    given(created(own)).when(changeTo('pending', { by: agentWithout('tickets:write') }, 'Hm.')).thenRejected('forbidden', { missing: 'scope tickets:write' });
    given(created(own)).when(changeTo('pending', { by: agentWithout('tickets:transition') }, 'Hm.')).thenRejected('forbidden', { missing: 'scope tickets:transition' });
    given(created(own)).when(changeTo('pending', { by: agentWithout('tickets:write') })).state();
  });

  it('restoring what is not deleted still takes an administrator', () =>
    given(created(own)).when(restore({}, { by: grace })).thenRejected('forbidden', { missing: 'role admin' }));
});

describe('ticket: rights to create and to file', () => {
  const yours = { missing: 'an assistant of your own' };

  it('a member files under their own assistants or none', () => {
    given().when(create({ title: 'T', assistantId: 'billing-bot' }, { by: grace })).then(created({ title: 'T', assistantId: 'billing-bot' }));
    given().when(create({ title: 'T' }, { by: grace })).then(created({ title: 'T' }));
    given().when(create({ title: 'T', assistantId: 'tech-bot' }, { by: grace })).thenRejected('forbidden', yours);
  });
  it('an agent files under itself, said or not', () => {
    for (const data of [{ title: 'T' }, { title: 'T', assistantId: null }, { title: 'T', assistantId: 'billing-bot' }]) {
      given().when(create(data, { by: billingBot })).then(created({ title: 'T', assistantId: 'billing-bot' }));
    }
    given().when(create({ title: 'T', assistantId: 'tech-bot' }, { by: billingBot })).thenRejected('forbidden', yours);
  });
  it('an agent creates with tickets:write, and assigns while it does with tickets:assign too', () => {
    const assigned = { title: 'T', assignee: assigneeOf(grace) };
    given().when(create({ title: 'T' }, { by: agent('billing-bot', 'tickets:assign') })).thenRejected('forbidden', { missing: 'scope tickets:write' });
    given().when(create(assigned, { by: agent('billing-bot', 'tickets:write') })).thenRejected('forbidden', { missing: 'scope tickets:assign' });
    given().when(create(assigned, { by: agent('billing-bot', 'tickets:write', 'tickets:assign') })).state();
  });
  it('creating: rights come first, then the version, then whether it exists', () => {
    given(created()).when(create({ title: 'T', assistantId: 'tech-bot' }, { by: grace, ...stale })).thenRejected('forbidden', yours);
    given(created()).when(create({ title: 'T' }, stale)).thenRejected('version-conflict', { current: 1 });
    given(created()).when(create({ title: 'T' }, { expectedVersion: 1 })).thenRejected('already-exists', {});
  });

  it('only a change of the assistant takes the right to file', () => {
    given(created({ assistantId: 'tech-bot', assignee: assigneeOf(grace) })).when(update({ assistantId: 'tech-bot', title: 'T' }, { by: grace })).state();
    given(created(own)).when(update({ assistantId: 'tech-bot' }, { by: grace })).thenRejected('forbidden', yours);
    given(created(own)).when(update({ assistantId: null }, { by: grace })).thenRejected('forbidden', yours);
    given(created(own)).when(update({ assistantId: 'tech-bot' }, { by: billingBot })).thenRejected('forbidden', yours);
    given(created({ assignee: assigneeOf(grace) })).when(update({ assistantId: 'billing-bot' }, { by: grace })).state();
    given(created(own)).when(update({ assistantId: 'tech-bot' }, { by: ada })).state();
  });
  it('filing: rights come before the version and the closed ticket', () => {
    given(created(own)).when(update({ assistantId: 'tech-bot' }, { by: grace, ...stale })).thenRejected('forbidden', yours);
    given(...inStatus('closed', own)).when(update({ assistantId: 'tech-bot' }, { by: grace })).thenRejected('forbidden', yours);
  });
});

describe('ticket: expected version', () => {
  it.each(commands)('%s on another version than expected is refused with the current one', (_, command) => {
    given(created(), replied(commandId)).when(command({ expectedVersion: 1 })).thenRejected('version-conflict', { current: 2 });
    given(created(), replied(commandId)).when(command({ expectedVersion: 3 })).thenRejected('version-conflict', { current: 2 });
  });

  it('comes before the ticket’s own rules', () => {
    given(...inStatus('closed')).when(changeTo('open', stale)).thenRejected('version-conflict');
    given(...inStatus('closed')).when(append({ messages: [{ id: 'm', role: 'user', content: '' }] }, stale)).thenRejected('version-conflict');
    given(...inStatus('closed')).when(recordCall({ tool: 't', arguments: {}, status: 'ok' }, stale)).thenRejected('version-conflict');
    given(created()).when(assign({ to: null }, stale)).thenRejected('version-conflict');
    given(created()).when(restore({}, stale)).thenRejected('version-conflict');
  });

  it('is taken on a deleted ticket that is restored', () => given(created(), deleted).when(restore({}, { expectedVersion: 2 })).then(restored));
});
