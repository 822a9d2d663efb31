import { describe, expect, it } from '@jest/globals';
import { completedCreate, markedAssistant, resolvedAssignee, Roster, withIds } from './index.js';

const grace = { id: 'grace', name: 'Grace', email: 'grace@acme.example', role: 'member' as const };
const bot = { id: 'billing-bot', name: 'Billing', memberIds: ['grace'] };
const roster = new Roster([
  { orgId: 'acme', kind: 'member', id: 'grace', revision: 1, deleted: false, value: grace },
  { orgId: 'acme', kind: 'assistant', id: 'billing-bot', revision: 1, deleted: false, value: bot },
]);
const door = { roster, caller: { type: 'system' as const, id: 'erp', name: 'ERP' }, commandId: 'command' };

describe('what doors add to what callers say', () => {
  it('is the name of who is meant, and a mark where there is nobody', () => {
    expect(resolvedAssignee({ type: 'member', id: 'grace' }, door)).toEqual({ to: { type: 'member', id: 'grace', name: 'Grace' } });
    expect(resolvedAssignee({ type: 'agent', id: 'grace' }, door)).toEqual({ to: { type: 'agent', id: 'grace', name: '' }, unknownAssignee: true });
  });

  it('is a mark at an assistant that there is not', () => {
    expect(markedAssistant({ assistantId: 'billing-bot' }, door)).toEqual({ assistantId: 'billing-bot' });
    expect(markedAssistant({ assistantId: 'grace' }, door)).toEqual({ assistantId: 'grace', unknownAssistant: true });
    for (const data of [{ assistantId: null }, {}]) expect(markedAssistant(data, door)).toEqual(data);
  });

  it('is an id for every message without one, from the command and the place', () => {
    expect(withIds([{ role: 'user', content: 'a' }, { id: 'mine', role: 'user', content: 'b' }, { role: 'user', content: 'c' }], 'command').map(({ id }) => id)).toEqual([
      'command:0',
      'mine',
      'command:2',
    ]);
  });

  it('completes a new ticket in all of it, and adds nothing that was not said', () => {
    const conversation = { messages: [{ role: 'user' as const, content: 'Hi' }] };
    const asked = { title: 'T', assistantId: 'nobody', assignee: { type: 'member' as const, id: 'ghost' }, conversation };
    expect(completedCreate(asked, door)).toEqual({
      title: 'T',
      assistantId: 'nobody',
      unknownAssistant: true,
      assignee: { type: 'member', id: 'ghost', name: '' },
      unknownAssignee: true,
      conversation: { messages: [{ id: 'command:0', role: 'user', content: 'Hi' }] },
    });
    expect(completedCreate({ title: 'T', assignee: null }, door)).toEqual({ title: 'T' });
  });
});
