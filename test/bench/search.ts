import mongoose from 'mongoose';
import type { DirectorySeed } from '#contracts';
import { recordOf } from '../../apps/query-search/testing/stories.js';
import { madeUp, type SeedOrganisation } from '../../tools/seed/organisations.js';
import { eventsOf, fill, type Filling } from './filled-views.js';
import { latencies } from './latencies.js';
import type { Figures } from './measures.js';
import { metric, orgId, tell, until, type Setting } from './setting.js';

/** How much there is to search in. */
export interface SearchSize {
  /** Of the organisation that is asked about. */
  tickets: number;
  /** Others that share the store, and the tickets of each. */
  others: number;
  othersTickets: number;
  seconds: number;
}

const main: SeedOrganisation = { ...madeUp(1, 40), id: orgId };
const [, , oneAssistant] = main.assistants;
const lonely = { id: 'lonely', name: 'Lonely', email: 'lonely@example.org', role: 'member' as const };

/** The organisation as gateways know it: one member sees one assistant of forty. */
export const searchDirectory: DirectorySeed = {
  organisations: [
    {
      id: orgId,
      members: [{ id: 'ada', name: 'Ada', email: 'ada@example.org', role: 'admin' }, lonely],
      assistants: main.assistants.map(({ id, name }) => ({ id, name, memberIds: id === oneAssistant!.id ? [lonely.id] : [] })),
    },
  ],
};

/** List, search, counts and pages of a ticket among many, at 8 open requests; size of data and indexes; rate of the projections on top of it. */
export async function search(setting: Setting, { tickets, others, othersTickets, seconds }: SearchSize): Promise<Figures> {
  const filling: Filling = { organisation: main, tickets };
  const rest = Array.from({ length: others }, (_, i) => ({ organisation: madeUp(i + 2), tickets: othersTickets }));
  const words = await fill(setting.servers.mongodbUri, [filling, ...rest]);
  const figures: Figures = await sizes(setting, tickets + others * othersTickets);
  const asked = questions(words, filling);
  for (const [name, paths] of Object.entries(asked.everybody)) Object.assign(figures, await ask(setting, name, { paths, seconds, sub: 'ada' }));
  for (const [name, paths] of Object.entries(asked.lonely)) Object.assign(figures, await ask(setting, `one assistant of 40: ${name}`, { paths, seconds, sub: 'lonely' }));
  return { ...figures, ...(await projection(setting)) };
}

async function ask(setting: Setting, name: string, { paths, seconds, sub }: { paths: string[]; seconds: number; sub: string }): Promise<Figures> {
  const headers = { authorization: `Bearer ${setting.stack.token({ org: orgId, sub, ttl: 86_400 })}` };
  const { p50, p95, p99, perSecond, others } = await latencies(setting.stack.gatewayUrl, { paths, headers, seconds });
  const told = `${p50.toFixed(1)} / ${p95.toFixed(1)} / ${p99.toFixed(1)}, ${perSecond.toFixed(0)}/s${others ? `, other answers ${others}` : ''}`;
  tell(`${name}: ${told}`);
  return { [`${name}: p50 / p95 / p99 ms, requests/s`]: told };
}

/** Words by how many tickets have them: those next to a share of all. */
function wordsNear(words: ReadonlyMap<string, number>, count: number, some = 8): string[] {
  const plain = [...words].filter(([word]) => /^[a-z]{5,}$/.test(word));
  return plain.sort(([, one], [, other]) => Math.abs(one - count) - Math.abs(other - count)).slice(0, some).map(([word]) => word);
}

function questions(words: ReadonlyMap<string, number>, filling: Filling) {
  const { tickets } = filling;
  const [rare, middling, common] = [wordsNear(words, 4), wordsNear(words, tickets / 100), wordsNear(words, tickets / 4)];
  const paths = (queries: string[]) => queries.map((query) => `/v1/tickets?${query}`);
  const q = (some: string[], more = '') => paths(some.map((word) => `q=${encodeURIComponent(word)}${more}`));
  const some = Array.from({ length: 40 }, (_, i) => eventsOf(filling, Math.floor((i * tickets) / 40)).at(-1)!.ticket);
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const { requester, tags } = some.find((ticket) => ticket.requester?.id !== undefined && ticket.tags.length > 0)!;
  const worker = main.workers[0]!.id;
  const assistant = main.assistants[0]!.id;
  return {
    everybody: {
      'list, newest': paths(['']),
      'list, page 400': paths(['page=400']),
      'list, status': paths(['status=open', 'status=closed']),
      'list, priority': paths(['priority=urgent']),
      'list, assignee': paths([`assignee=${worker}`, 'assignee=none']),
      'list, assistant': paths([`assistantId=${assistant}`, `assistantId=${oneAssistant!.id}`]),
      'list, tag': paths([`tag=${encodeURIComponent(tags[0]!)}`]),
      'list, requester': paths([`requester=${encodeURIComponent(requester!.id!)}`]),
      'list, created last week': paths([`createdFrom=${day(7)}`]),
      'list, created in a month, half a year ago': paths([`createdFrom=${day(210)}&createdTo=${day(180)}`]),
      'list, updated last week': paths([`updatedFrom=${day(7)}&sort=-updatedAt`]),
      'list, open by update': paths(['status=open,pending&sort=-updatedAt']),
      'list, open and urgent': paths(['status=open&priority=urgent', 'status=open,pending&sort=-priority']),
      'list, assistant and open': paths([`assistantId=${assistant}&status=open`]),
      'list, mine and open': paths([`assignee=${worker}&status=open,pending`]),
      'search, rare word': q(rare),
      'search, middling word': q(middling),
      'search, common word': q(common),
      'search, two common words': q(common.slice(1).map((word, i) => `${word} ${common[i]}`)),
      'search, common and rare word': q(rare.map((word, i) => `${common[i % common.length]} ${word}`)),
      'search, common prefix': q(common.map((word) => word.slice(0, 3))),
      'search, rare prefix': q(rare.map((word) => word.slice(0, -1))),
      'search, common word, open': q(common, '&status=open'),
      'search, common word by update': q(common, '&sort=-updatedAt'),
      'search, number': q(some.map(({ number }) => `#${number}`)),
      suggest: [...common, ...middling].map((word) => `/v1/suggest?q=${word.slice(0, 4)}`),
      counts: ['/v1/tickets/counts'],
      'counts, common word': common.map((word) => `/v1/tickets/counts?q=${word}`),
      detail: some.map(({ id }) => `/v1/tickets/${id}`),
      timeline: some.map(({ id }) => `/v1/tickets/${id}/timeline`),
      comments: some.map(({ id }) => `/v1/tickets/${id}/comments`),
    },
    lonely: {
      'list, newest': paths(['']),
      'list, open by update': paths(['status=open&sort=-updatedAt']),
      'search, rare word': q(rare),
      'search, common word': q(common),
      'search, common prefix': q(common.map((word) => word.slice(0, 3))),
      counts: ['/v1/tickets/counts'],
    },
  };
}

/** Bytes of the read models and of each of their indexes, by ticket. */
async function sizes(setting: Setting, tickets: number): Promise<Figures> {
  const client = new mongoose.mongo.MongoClient(setting.servers.mongodbUri);
  const db = client.db('deskstream_query');
  const figures: Figures = {};
  for (const collection of ['tickets', 'timeline', 'search']) {
    const { size, indexSizes } = (await db.command({ collStats: collection })) as { size: number; indexSizes: Record<string, number> };
    figures[`${collection}: bytes a ticket`] = size / tickets;
    for (const [index, bytes] of Object.entries(indexSizes)) figures[`${collection}, index ${index}: bytes a ticket`] = bytes / tickets;
  }
  await client.close();
  return figures;
}

/** Events of new tickets, written to their topic: how fast views and search follow, with all indexes as large as they are now. */
async function projection(setting: Setting): Promise<Figures> {
  const filling: Filling = { organisation: madeUp(900), tickets: 3_000 };
  const events = Array.from({ length: filling.tickets }, (_, i) => eventsOf(filling, i)).flat();
  const app = setting.stack.apps['query-search'][0]!;
  await app.end();
  await setting.produce(events.map((event) => recordOf(event)).map(({ topic, key, value, headers }) => ({ topic, key: String(key), value, headers: headers as Record<string, string> })));
  app.start();
  const done = async (group: string) => metric(app.managementUrl, 'deskstream_records_total', `group="query-search.${group}"`).catch(() => 0);
  const figures: Figures = {};
  const startedAt = performance.now();
  for (const group of ['ticket-view', 'search']) {
    await until(`the events at ${group}`, async () => (await done(group)) >= events.length, { seconds: 600 });
    figures[`projection: events/s until ${group} has them all, start-up included`] = events.length / ((performance.now() - startedAt) / 1_000);
  }
  return figures;
}
