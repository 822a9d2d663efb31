import { describe, expect, it } from '@jest/globals';
import { Story } from '../../testing/stories.js';
import { suggestionsOf } from './suggestions.js';

const ticket = (number: number, fields: Parameters<Story['create']>[0]) => new Story({ number }).create(fields).ticket;
const zoe = { id: 'c1', name: 'Zoë Ångström', email: 'zoe@example.com' };
const tickets = [
  ticket(9, { title: 'Nothing of the kind', description: 'a printer', tags: ['Printer', 'late'] }),
  ticket(8, { title: 'Printer jammed', tags: ['printers', 'Printer'], requester: zoe }),
  ticket(7, { title: 'Zoological printer', requester: { ...zoe, name: 'Z. Angstrom' } }),
];

describe('suggestions', () => {
  it('name tickets, those first whose title says what was typed', () => {
    expect(suggestionsOf('prin', tickets).tickets.map(({ number }) => number)).toEqual([8, 7, 9]);
    expect(suggestionsOf('prin', tickets).tickets[0]).toEqual({ id: tickets[1]!.id, number: 8, title: 'Printer jammed', status: 'open' });
  });

  it('put the ticket first whose number was typed', () => {
    for (const q of ['7', '#7', tickets[2]!.id.toUpperCase()]) expect(suggestionsOf(q, tickets).tickets[0]!.number).toBe(7);
  });

  it('name people once, by any part of their name or address', () => {
    for (const q of ['zoe', 'ZOË ang', 'example', 'c1']) expect(suggestionsOf(q, tickets).people).toEqual([zoe]);
    expect(suggestionsOf('printer', tickets).people).toEqual([]);
  });

  it('name tags, the most frequent first', () => expect(suggestionsOf('PRIN', tickets).tags).toEqual(['Printer', 'printers']));

  it('are few', () => {
    const many = Array.from({ length: 30 }, (_, i) => ticket(i + 1, { title: `Printer ${i}`, tags: [`printer-${i}`], requester: { name: `Printer ${i}` } }));
    const { tickets: some, people, tags } = suggestionsOf('printer', many);
    expect([some.length, people.length, tags.length]).toEqual([8, 8, 8]);
  });

  it('are none for what holds no word', () => expect(suggestionsOf('#?!', tickets)).toEqual({ tickets: [], people: [], tags: [] }));
});
