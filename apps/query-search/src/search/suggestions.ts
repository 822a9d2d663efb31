import type { Suggestions, Ticket } from '#contracts';
import { asked, wordsOf, type Asked } from './words.js';

/** Offered of each kind. */
const most = 8;

/** What a search box offers for tickets that match what is typed, newest first. Tickets that are named by it come first. */
export function suggestionsOf(q: string, tickets: readonly Ticket[]): Suggestions {
  const search = asked(q);
  if (!search) return { tickets: [], people: [], tags: [] };
  const byNearness = [...tickets].sort((one, other) => nearness(other, search) - nearness(one, search));
  return {
    tickets: byNearness.slice(0, most).map(({ id, number, title, status }) => ({ id, number, title, status })),
    people: peopleIn(tickets, search),
    tags: mostFrequent(tickets.flatMap(({ tags }) => tags).filter((tag) => says(search, [tag]))),
  };
}

/** 2 when its number or id was typed, 1 when its title says it all. */
function nearness({ id, number, title }: Ticket, { words, prefix }: Asked): number {
  const isNamed = [...words, prefix].some((word) => word === id || word === String(number) || word === `#${number}`);
  return isNamed ? 2 : Number(says({ words, prefix }, [title]));
}

/** Whether every word typed is in these texts, the last one as a beginning. */
function says({ words, prefix }: Asked, texts: readonly string[]): boolean {
  const said = texts.flatMap(wordsOf);
  return words.every((word) => said.includes(word)) && said.some((word) => word.startsWith(prefix));
}

function peopleIn(tickets: readonly Ticket[], search: Asked): Suggestions['people'] {
  const people = new Map<string, NonNullable<Ticket['requester']>>();
  for (const requester of tickets.flatMap((ticket) => ticket.requester ?? [])) {
    const known = [requester.id, requester.email?.toLowerCase(), requester.name].filter((part) => part !== undefined);
    if (says(search, known) && !people.has(known[0]!)) people.set(known[0]!, requester);
  }
  return [...people.values()].slice(0, most);
}

function mostFrequent(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([one, often], [other, oftener]) => oftener - often || (one < other ? -1 : 1)).slice(0, most).map(([value]) => value);
}
