import type { TicketCommand, TicketEvent } from '#contracts';
import { decide, evolve, initial, type TicketState } from '#domain';
import { openDatabase } from '#persistence';
import { Arrivals } from '../../apps/query-search/src/arrivals.js';
import { collectionsOf } from '../../apps/query-search/src/collections.js';
import { ProjectionStore } from '../../apps/query-search/src/projection.store.js';
import { entryAfter } from '../../apps/query-search/src/search/search-entry.projection.js';
import { Vocabulary } from '../../apps/query-search/src/search/vocabulary.store.js';
import { Cells } from '../../apps/query-search/src/stats/cells.store.js';
import { changedDays } from '../../apps/query-search/src/stats/changed-days.projection.js';
import { CountedViews } from '../../apps/query-search/src/stats/counted-views.store.js';
import { Marks } from '../../apps/query-search/src/stats/marks.store.js';
import { Recount } from '../../apps/query-search/src/stats/recount.js';
import { rowOf, viewOf } from '../../apps/query-search/src/ticket-view.projection.js';
import type { SeedOrganisation } from '../../tools/seed/organisations.js';
import { supportCase } from '../../tools/seed/support-case.js';
import { tell } from './setting.js';

/** An organisation with so many tickets, of the year before a moment, ms since the epoch. */
export interface Filling {
  organisation: SeedOrganisation;
  tickets: number;
  end: number;
}

const seed = 1;
const atOnce = 500;
const inFlight = 2;

/** The events of a made-up case, as ticket-command would tell them. */
export function eventsOf({ organisation, tickets, end }: Filling, index: number): TicketEvent[] {
  let state: TicketState = initial;
  return supportCase({ seed, organisation, index, of: tickets, end }).flatMap((command) => {
    const event = happened(command, state, index + 1);
    if (!event) return [];
    state = event.state;
    return [event.event];
  });
}

function happened(command: TicketCommand, state: TicketState, number: number): { event: TicketEvent; state: TicketState } | undefined {
  const { orgId, ticketId, commandId, actor, channel, at = '' } = command;
  const fact = decide(command, state, at);
  if (fact === null) return undefined;
  const version = state.status === 'exists' ? state.ticket.version + 1 : 1;
  const next = evolve(state, { ...fact, ticketId, version, at, actor, birth: { number, channel } });
  return { state: next, event: { ...fact, orgId, ticketId, version, commandId, actor, at, ticket: next.ticket } as TicketEvent };
}

/** In how many tickets of an organisation each word is. */
export type Words = ReadonlyMap<string, number>;

/** Fills the read models and the statistics as their consumers would leave them, and counts the words of some of the organisations. */
export async function fill(mongodbUri: string, fillings: readonly Filling[], counted: readonly Filling[]): Promise<Words[]> {
  const database = openDatabase({ uri: mongodbUri, database: 'deskstream_query', poolSize: 8 });
  const collections = collectionsOf(1);
  const store = new ProjectionStore(database, collections, new Arrivals(), new Vocabulary(database, collections));
  await store.prepare();
  const marks = new Marks(database, collections);
  const words = new Map(counted.map((filling) => [filling, new Map<string, number>()]));
  const total = fillings.reduce((sum, { tickets }) => sum + tickets, 0);
  const parts = fillings.flatMap((filling) => Array.from({ length: Math.ceil(filling.tickets / atOnce) }, (_, i) => ({ filling, from: i * atOnce })));
  const startedAt = performance.now();
  let done = 0;
  const work = async () => {
    for (let part = parts.shift(); part; part = parts.shift()) {
      const { filling, from } = part;
      const to = Math.min(filling.tickets, from + atOnce);
      const cases = Array.from({ length: to - from }, (_, i) => eventsOf(filling, from + i));
      await write(store, cases, words.get(filling));
      await marks.note(changedDays(cases.flat(), Date.now()));
      done += to - from;
      if (parts.length % 50 === 0) tell(`filled ${done} of ${total} tickets, ${(done / ((performance.now() - startedAt) / 1_000)).toFixed(0)}/s`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  tell('counting the statistics');
  const recount = new Recount(marks, new CountedViews(database, collections), new Cells(database, collections));
  while (await recount.next()) continue;
  await database.close();
  return [...words.values()];
}

async function write(store: ProjectionStore, cases: readonly TicketEvent[][], words: Map<string, number> | undefined): Promise<void> {
  const entries = cases.map((events) => entryAfter(undefined, events)!);
  for (const { tokens } of words ? entries : []) for (const word of tokens) words!.set(word, (words!.get(word) ?? 0) + 1);
  await store.append(cases.flat().map(rowOf));
  await store.putViews(cases.map((events) => ({ document: viewOf(events.at(-1)!), isNew: true })));
  await store.putEntries(entries.map((document) => ({ document, isNew: true })));
}
