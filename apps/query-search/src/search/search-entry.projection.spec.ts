import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Story } from '../../testing/stories.js';
import { entryAfter, type KnownEntry } from './search-entry.projection.js';

const story = () => new Story({ number: 7 }).create({ title: 'Printer', description: 'It burns badly' });
const knownAt = (told: Story, version: number): KnownEntry => entryAfter(undefined, told.events.slice(0, version))!;
const lively = () =>
  story().comment('one two').move('pending').comment('secret', 'note').say('three').move('resolved', 'four').move('open').happens('ticket.update-details.v1', { title: 'Fire' });

describe('what a ticket is found by', () => {
  it('is its words, whom it concerns and when it was created, but neither status nor priority', () => {
    const told = story().comment('Try water');
    const entry = entryAfter(undefined, told.events)!;
    expect(entry).toMatchObject({ _id: `acme/${told.id}`, orgId: 'acme', version: 2, createdAt: new Date(told.ticket.createdAt), said: 'try water' });
    expect(entry.tokens).toEqual(expect.arrayContaining(['printer', 'burns', 'water', '#7', '=assignee:none', '=creator:member:ada']));
    expect(JSON.stringify(entry)).not.toMatch(/status|priority/);
  });

  it('is the same whether events come in pieces of any size, twice or again from the start', () => {
    const told = lively();
    const whole = entryAfter(undefined, told.events);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }), fc.boolean(), (sizes, isRepeated) => {
        let [entry, at]: [KnownEntry | undefined, number] = [undefined, 0];
        for (let i = 0; at < told.events.length; i++) {
          const piece = told.events.slice(isRepeated ? 0 : at, (at += sizes[i % sizes.length]!));
          entry = entryAfter(entry, isRepeated ? [...piece, ...piece] : piece) ?? entry;
        }
        expect(entry).toEqual(whole);
      }),
    );
  });

  it('is left alone by what changes none of it', () => {
    const told = story().move('pending').happens('ticket.update-details.v1', { priority: 'high' });
    expect(entryAfter(knownAt(told, 1), told.events.slice(1, 2))).toBeUndefined();
    expect(entryAfter(knownAt(told, 1), told.events.slice(0, 1))).toBeUndefined();
    const toolCall = { tool: 'lookup', arguments: {}, status: 'ok' } as const;
    told.happens('ticket.record-tool-call.v1', toolCall);
    expect(entryAfter(knownAt(told, 3), told.events)).toBeUndefined();
  });

  it('changes with the assignee, who may see the ticket from then on', () => {
    const told = story().happens('ticket.assign.v1', { to: { type: 'member', id: 'grace', name: 'Grace' } });
    expect(entryAfter(knownAt(told, 1), told.events)).toMatchObject({ version: 2, tokens: expect.arrayContaining(['=assignee:member:grace']) as unknown });
  });

  it('forgets the words of a former title and keeps those of the thread', () => {
    const told = story().comment('printer again').happens('ticket.update-details.v1', { title: 'Fire', description: '' });
    const { tokens } = entryAfter(knownAt(told, 2), told.events)!;
    expect(tokens).toEqual(expect.arrayContaining(['fire', 'printer', 'again']));
    expect(tokens).not.toContain('burns');
  });

  it('goes with a deletion and comes back with all its words', () => {
    const told = story().comment('water').happens('ticket.delete.v1', {});
    expect(entryAfter(knownAt(told, 2), told.events)).toMatchObject({ version: 3, tokens: [], said: 'water' });
    told.happens('ticket.restore.v1', {});
    expect(entryAfter(knownAt(told, 3), told.events)!.tokens).toEqual(expect.arrayContaining(['=assignee:none', 'water']));
  });
});
