import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Priority, Status } from '#contracts';
import { addBody, addCreated, addResolved, addResolvedDays, emptyCell, factsOf, instantsIn, largest, mostKept, partOf, storedCell, type Cell, type Facts, type Parts } from './cell.projection.js';

const person = fc.record({ type: fc.constantFrom('member' as const, 'agent' as const), id: fc.constantFrom('ada', 'a:b'), name: fc.constantFrom('Ada', 'Ada L.') });
const time = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2026-03-01') });
const facts: fc.Arbitrary<Facts> = fc.record({
  status: fc.constantFrom(...Status.options),
  priority: fc.constantFrom(...Priority.options),
  assistantId: fc.constantFrom('a', 'b', null),
  assignee: fc.option(person),
  createdBy: fc.constant({ type: 'member' as const, id: 'ada' }),
  tags: fc.array(fc.constantFrom('x', 'X', '__proto__', '$a.b', '1')),
  title: fc.constantFrom('Printer on fire', 'Fire', ''),
  createdAt: time,
  firstRepliedAt: fc.option(time),
  resolvedAt: fc.option(time),
});

function cellOf(tickets: readonly Facts[]): Cell {
  const cell = emptyCell();
  for (const ticket of tickets) {
    addCreated(cell, ticket);
    if (ticket.resolvedAt !== null) addResolved(cell, ticket.resolvedAt);
  }
  return cell;
}

const partsOf = (tickets: readonly Facts[]): Parts => {
  const parts: Parts = new Map();
  for (const ticket of tickets) {
    const cell = partOf(parts, ticket.assistantId ?? '');
    addCreated(cell, ticket);
    if (ticket.resolvedAt !== null) addResolved(cell, ticket.resolvedAt);
  }
  return parts;
};

function sumOf(cells: readonly Parts[]): Parts {
  const sum: Parts = new Map();
  for (const { body, resolved } of cells.map(storedCell)) {
    addBody(body, (part) => partOf(sum, part));
    addResolvedDays(resolved, (part) => partOf(sum, part));
  }
  return sum;
}

const stored = (cell: Cell) => storedCell(new Map([['*', cell]]));

const ticket = (changes: Partial<Facts> = {}): Facts => ({ status: 'open', priority: 'low', assistantId: null, assignee: null, createdBy: { type: 'member', id: 'ada' }, tags: [], title: '', createdAt: 0, firstRepliedAt: null, resolvedAt: null, ...changes });

describe('a cell', () => {
  it('comes to the same text in whatever order its tickets come', () =>
    fc.assert(fc.property(fc.array(facts), (tickets) => expect(storedCell(partsOf([...tickets].reverse()))).toEqual(storedCell(partsOf(tickets))))));

  it('is the sum of the cells of its parts, and sums are sums of sums', () =>
    fc.assert(
      fc.property(fc.array(fc.array(fc.array(facts))), (months) => {
        const whole = storedCell(partsOf(months.flat(2)));
        const sum = storedCell(sumOf(months.map((days) => sumOf(days.map(partsOf)))));
        expect({ ...sum, instants: whole.instants }).toEqual(whole);
      }),
    ));

  it('counts a tag once a ticket, and open tags and words of open and pending tickets only', () => {
    const cell = cellOf([ticket({ tags: ['x', 'x'], title: 'Fire fire' }), ticket({ tags: ['x'], title: 'Fire', status: 'resolved' }), ticket({ title: 'Fire', status: 'pending' })]);
    expect([[...cell.tag], [...cell.openTag], [...cell.openWord]]).toEqual([[['x', 2]], [['x', 1]], [['fire', 2]]]);
  });

  it('knows when its tickets were resolved to the millisecond', () => {
    const { instants } = storedCell(partsOf([ticket({ resolvedAt: 86_400_007 }), ticket({ resolvedAt: 5 }), ticket({ resolvedAt: 6, assistantId: 'a' })]));
    expect(instantsIn(instants, (part) => part === '')).toEqual([5, 86_400_007]);
  });

  it('stays small however many different tags there are, and keeps those that are most', () => {
    const cell = cellOf(Array.from({ length: 60_000 }, (_, i) => ticket({ tags: [`t${i}`, i % 100 === 0 ? 'often' : `u${i}`] })));
    expect(cell.tag.size).toBeLessThanOrEqual(4 * mostKept + 2);
    const { body } = stored(cell);
    const { tag } = (JSON.parse(body) as Record<string, { tag: Record<string, number> }>)['*']!;
    expect(Object.keys(tag)).toHaveLength(mostKept);
    expect(tag['often']).toBe(600);
  });

  it('ranks by number, equal ones by name', () => expect(largest(new Map([['b', 1], ['a', 1], ['c', 2]]), 2)).toEqual([['c', 2], ['a', 1]]));
});

describe('the facts of a view', () => {
  it('are those of its ticket', () => {
    const times = { createdAt: '2026-01-01T00:00:00.000Z', firstRepliedAt: null, resolvedAt: '2026-01-02T00:00:00.000Z' };
    const { createdAt: _, ...rest } = ticket({ tags: ['x'], title: 'T' });
    const found = factsOf({ ticket: JSON.stringify({ ...rest, id: 'i', ...times }) });
    expect(found).toEqual({ ...rest, createdAt: Date.parse(times.createdAt), firstRepliedAt: null, resolvedAt: Date.parse(times.resolvedAt) });
  });
});
