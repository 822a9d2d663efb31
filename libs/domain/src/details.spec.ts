import { describe, expect, it } from '@jest/globals';
import { limits } from '#contracts';
import { created, update } from '../testing/histories.js';
import { given } from '../testing/scenarios.js';

const updated = (changes: Record<string, { from: unknown; to: unknown }>) => ({ type: 'ticket.details-updated.v1' as const, data: { changes: changes as never } });

describe('ticket: update of single values', () => {
  it.each([
    ['title', 'Printer on fire', 'Printer wet'],
    ['description', '', 'It burns.'],
    ['priority', 'normal', 'urgent'],
    ['assistantId', null, 'billing-bot'],
    ['tags', [], ['vip']],
  ] as const)('%s is told with its old and its new value', (field, from, to) =>
    given(created()).when(update({ [field]: to })).then(updated({ [field]: { from, to } }), { [field]: to }));

  it('null empties the description, the tags and the assistant', () =>
    given(created({ description: 'It burns.', tags: ['vip'], assistantId: 'billing-bot' }))
      .when(update({ description: null, tags: null, assistantId: null }))
      .then(
        updated({ description: { from: 'It burns.', to: '' }, tags: { from: ['vip'], to: [] }, assistantId: { from: 'billing-bot', to: null } }),
        { description: '', tags: [], assistantId: null },
      ));

  it('only what changes is told', () =>
    given(created()).when(update({ title: 'Printer on fire', priority: 'low' })).then(updated({ priority: { from: 'normal', to: 'low' } })));

  it('the order of tags counts', () =>
    given(created({ tags: ['a', 'b'] })).when(update({ tags: ['b', 'a'] })).then(updated({ tags: { from: ['a', 'b'], to: ['b', 'a'] } })));

  it.each([{}, { title: 'Printer on fire' }, { description: null }, { tags: [] }, { tags: null }, { requester: null }, { requester: {} }, { customFields: {} }, { customFields: null }])(
    '%j changes nothing of a fresh ticket',
    (patch) => given(created()).when(update(patch)).thenUnchanged(),
  );
});

describe('ticket: update of the requester', () => {
  const rita = { id: 'r1', name: 'Rita', email: 'rita@example.com' };

  it('merges what is named', () =>
    given(created({ requester: rita }))
      .when(update({ requester: { name: 'Rita B.' } }))
      .then(updated({ requester: { from: rita, to: { ...rita, name: 'Rita B.' } } }), { requester: { ...rita, name: 'Rita B.' } }));
  it('makes a requester of none', () =>
    given(created()).when(update({ requester: { email: rita.email } })).then(updated({ requester: { from: null, to: { email: rita.email } } })));
  it('null takes one thing away', () =>
    given(created({ requester: rita }))
      .when(update({ requester: { name: null, email: null } }))
      .then(updated({ requester: { from: rita, to: { id: 'r1' } } }), { requester: { id: 'r1' } }));
  it('of whom nothing is left is none', () =>
    given(created({ requester: { id: 'r1' } })).when(update({ requester: { id: null } })).then(updated({ requester: { from: { id: 'r1' }, to: null } }), { requester: null }));
  it('null takes all away', () =>
    given(created({ requester: rita })).when(update({ requester: null })).then(updated({ requester: { from: rita, to: null } }), { requester: null }));
  it('the same in another order changes nothing', () =>
    given(created({ requester: rita })).when(update({ requester: { email: rita.email, id: rita.id } })).thenUnchanged());
});

describe('ticket: update of custom fields', () => {
  const fields = { plan: 'gold', seats: 3, paid: true };

  it('merges, and tells only the keys that change', () =>
    given(created({ customFields: fields }))
      .when(update({ customFields: { seats: 4, paid: true, region: 'eu' } }))
      .then(updated({ customFields: { from: { seats: 3 }, to: { seats: 4, region: 'eu' } } }), { customFields: { ...fields, seats: 4, region: 'eu' } }));
  it('null takes one away, and is nothing for a key that is not there', () => {
    given(created({ customFields: fields }))
      .when(update({ customFields: { plan: null, region: null } }))
      .then(updated({ customFields: { from: { plan: 'gold' }, to: {} } }), { customFields: { seats: 3, paid: true } });
    given(created({ customFields: fields })).when(update({ customFields: { region: null } })).thenUnchanged();
  });
  it('null takes all away', () =>
    given(created({ customFields: fields })).when(update({ customFields: null })).then(updated({ customFields: { from: fields, to: {} } }), { customFields: {} }));
  it('a value of another type is another value', () =>
    given(created({ customFields: { a: 1, b: 0 } }))
      .when(update({ customFields: { a: '1', b: false } }))
      .then(updated({ customFields: { from: { a: 1, b: 0 }, to: { a: '1', b: false } } }), { customFields: { a: '1', b: false } }));
  it('minus zero is zero, as JSON has it', () => given(created({ customFields: { a: 0 } })).when(update({ customFields: { a: -0 } })).thenUnchanged());
  it.each(['toString', 'hasOwnProperty', 'valueOf'])('a field called %s is a field like any other', (key) => {
    given(created()).when(update({ customFields: { [key]: 'x' } })).then(updated({ customFields: { from: {}, to: { [key]: 'x' } } }), { customFields: { [key]: 'x' } });
    given(created({ customFields: { [key]: 'x' } })).when(update({ customFields: { [key]: null } })).then(updated({ customFields: { from: { [key]: 'x' }, to: {} } }), { customFields: {} });
  });

  it('takes 50 after the merge and not 51', () => {
    const many = (count: number, from = 0) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${from + n}`, n]));
    const full = created({ customFields: many(limits.customFields) });
    given(full).when(update({ customFields: { one: 1 } })).thenRejected('validation-failed', {
      errors: [{ pointer: '/customFields', code: 'too_big', message: 'must have at most 50 fields' }],
    });
    given(full).when(update({ customFields: { one: 1, f0: null } })).then(updated({ customFields: { from: { f0: 0 }, to: { one: 1 } } }));
    given(full).when(update({ customFields: { f0: 'changed' } })).then(updated({ customFields: { from: { f0: 0 }, to: { f0: 'changed' } } }));
  });
});

describe('ticket: what an update tells rebuilds what it did', () => {
  it('for every field at once', () => {
    const requester = { id: 'r1' };
    const patch = { title: 'T', description: 'D', priority: 'high' as const, tags: ['x'], requester, customFields: { a: 1 }, assistantId: 'tech-bot' };
    expect(given(created()).when(update(patch)).state().ticket).toMatchObject(patch);
  });
});
