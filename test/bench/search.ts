import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import mongoose from 'mongoose';
import type { DirectorySeed } from '#contracts';
import { recordOf } from '../../apps/query-search/testing/stories.js';
import { madeUp, type SeedOrganisation } from '../../tools/seed/organisations.js';
import { eventsOf, fill, type Filling, type Words } from './filled-views.js';
import { latencies } from './latencies.js';
import { catchUp, type Figures } from './measures.js';
import { orgId, tell, type Setting } from './setting.js';

/** How much there is to search in. */
export interface SearchSize {
  /** Of the organisation that is asked about. */
  tickets: number;
  /** Of one that is asked the same, for the growth; 0 for none. */
  smaller: number;
  /** Others that share the store, and the tickets of each. */
  others: number;
  othersTickets: number;
  seconds: number;
  /** Only questions with this in their name are asked; what is written is measured only when all are. */
  ask: string;
}

const main: SeedOrganisation = { ...madeUp(1, 40), id: orgId };
const smallerId = `${orgId}-smaller`;
const [, , oneAssistant] = main.assistants;
const [lonely, busy] = ['lonely', 'busy'].map((id) => ({ id, name: id, email: `${id}@example.org`, role: 'member' as const })) as [Member, Member];
type Member = DirectorySeed['organisations'][number]['members'][number];
/** Of forty assistants, those behind which a member with several stands. */
const several = new Set(main.assistants.filter((_, i) => i % 8 === 3).map(({ id }) => id));

const entry = (id: string): DirectorySeed['organisations'][number] => ({
  id,
  members: [{ id: 'ada', name: 'Ada', email: 'ada@example.org', role: 'admin' }, lonely, busy],
  assistants: main.assistants.map((assistant) => ({
    id: assistant.id,
    name: assistant.name,
    memberIds: [...(assistant.id === oneAssistant!.id ? [lonely.id] : []), ...(several.has(assistant.id) ? [busy.id] : [])],
  })),
});

/** The organisations as gateways know them: one member sees one assistant of forty, another one five. */
export const searchDirectory: DirectorySeed = { organisations: [entry(orgId), entry(smallerId)] };

/** List, search, counts, statistics and pages of a ticket among many, at 8 open requests; size of data and indexes; rate of the projections on top of it. */
export async function search(setting: Setting, size: SearchSize): Promise<Figures> {
  const { asked, tickets } = await filled(setting, size);
  const figures: Figures = size.ask === '' ? await sizes(setting, tickets) : {};
  const [large, small] = asked.map(({ filling, words }) => ({ org: filling.organisation.id, questions: questions(words, filling) }));
  for (const [name, { sub }] of Object.entries(large!.questions).filter(([name]) => name.includes(size.ask))) {
    const ask = async ({ org, questions: all }: Asked) => latencies(setting.stack.gatewayUrl, { paths: all[name]!.paths, headers: { authorization: `Bearer ${setting.stack.token({ org, sub, ttl: 86_400 })}` }, seconds: size.seconds });
    const before = small && (await ask(small));
    const usage = setting.usage();
    const { p50, p95, p99, perSecond, others, count } = await ask(large!);
    const cpu = cpuOf(usage, setting.usage(), count);
    const growth = before ? `, p95 × ${(p95 / before.p95).toFixed(1)}` : '';
    const told = `${p50.toFixed(1)} / ${p95.toFixed(1)} / ${p99.toFixed(1)}, ${perSecond.toFixed(0)}/s${growth}, CPU ms a request: ${cpu}${others ? `, other answers ${others}` : ''}`;
    tell(`${name}: ${told}`);
    figures[`${name}: p50 / p95 / p99 ms, requests/s${before ? `, growth from ${size.smaller}` : ''}`] = told;
  }
  return size.ask === '' ? { ...figures, ...(await projection(setting)) } : figures;
}

/** CPU of whoever has a part in an answer. */
const cpuOf = (before: Usage, after: Usage, requests: number) =>
  ['mongodb', 'query-search', 'gateway'].map((name) => `${name} ${((1_000 * (after[name]!.cpuSeconds - before[name]!.cpuSeconds)) / requests).toFixed(1)}`).join(', ');
type Usage = ReturnType<Setting['usage']>;

interface Asked {
  org: string;
  questions: Record<string, { paths: string[]; sub: string }>;
}

/** What a filled store holds: times of tickets hang on when it was filled. */
interface FillNote {
  size: Omit<SearchSize, 'seconds' | 'ask'>;
  end: number;
  words: [string, number][][];
}

/** Fills the store, unless it was kept from another run. */
async function filled(setting: Setting, { tickets, smaller, others, othersTickets }: SearchSize) {
  const size = { tickets, smaller: smaller < tickets ? smaller : 0, others, othersTickets };
  const file = setting.file('filled.json');
  const { end, words } = noteIn(file, size) ?? { end: Date.now() };
  const asked: Filling[] = [{ organisation: main, tickets, end }, { organisation: { ...main, id: smallerId }, tickets: size.smaller, end }].filter((filling) => filling.tickets > 0);
  const rest = Array.from({ length: others }, (_, i) => ({ organisation: madeUp(i + 2), tickets: othersTickets, end }));
  const counted = words?.map((one) => new Map(one)) ?? (await fill(setting.servers.mongodbUri, [...asked, ...rest], asked));
  writeFileSync(file, JSON.stringify({ size, end, words: counted.map((one) => [...one]) } satisfies FillNote));
  return { asked: asked.map((filling, i) => ({ filling, words: counted[i]! })), tickets: [...asked, ...rest].reduce((sum, one) => sum + one.tickets, 0) };
}

/** What is noted of a kept store. @throws Error when it was filled with other tickets */
function noteIn(file: string, size: FillNote['size']): FillNote | undefined {
  if (!existsSync(file)) return undefined;
  const note = JSON.parse(readFileSync(file, 'utf8')) as FillNote;
  if (JSON.stringify(note.size) !== JSON.stringify(size)) throw new Error(`${file} tells of a store that holds ${JSON.stringify(note.size)}`);
  return note;
}

/** Words by how many tickets have them: those next to a share of all. */
function wordsNear(words: Words, count: number, some = 8): string[] {
  const plain = [...words].filter(([word]) => /^[a-z]{5,}$/.test(word));
  return plain.sort(([, one], [, other]) => Math.abs(one - count) - Math.abs(other - count)).slice(0, some).map(([word]) => word);
}

function questions(words: Words, filling: Filling): Asked['questions'] {
  const { tickets } = filling;
  const [rare, middling, common] = [wordsNear(words, 4), wordsNear(words, tickets / 100), wordsNear(words, tickets / 4)];
  const paths = (queries: string[]) => queries.map((query) => `/v1/tickets?${query}`);
  const q = (some: string[], more = '') => paths(some.map((word) => `q=${encodeURIComponent(word)}${more}`));
  const some = Array.from({ length: 40 }, (_, i) => eventsOf(filling, Math.floor((i * tickets) / 40)).at(-1)!.ticket);
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const { requester, tags } = some.find((ticket) => ticket.requester?.id !== undefined && ticket.tags.length > 0)!;
  const worker = main.workers[0]!.id;
  const assistant = main.assistants[0]!.id;
  const everybody: Record<string, string[]> = {
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
      'search, one letter': q([...'abcdefgst']),
      'search, digits': q([...'12345679'].flatMap((digit) => [digit, `${digit}0`])),
      'search, a letter behind a rare word': q(rare.map((word) => `${word} s`)),
      'search, common prefix, open': q(common.map((word) => word.slice(0, 3)), '&status=open'),
      'search, common word by priority': q(common, '&sort=-priority'),
      'search, common word, page 100': q(common, '&page=100'),
      'search, number': q(some.map(({ number }) => `#${number}`)),
      suggest: [...common, ...middling].map((word) => `/v1/suggest?q=${word.slice(0, 4)}`),
      counts: ['/v1/tickets/counts'],
      'counts, common word': common.map((word) => `/v1/tickets/counts?q=${word}`),
      detail: some.map(({ id }) => `/v1/tickets/${id}`),
      timeline: some.map(({ id }) => `/v1/tickets/${id}/timeline`),
      comments: some.map(({ id }) => `/v1/tickets/${id}/comments`),
      stats: ['/v1/stats', `/v1/stats?from=${day(100)}&to=${day(10)}`, `/v1/stats?assistantId=${assistant}`],
    };
    const member = {
      'list, newest': paths(['']),
      'list, open by update': paths(['status=open&sort=-updatedAt']),
      'search, rare word': q(rare),
      'search, common word': q(common),
      'search, common prefix': q(common.map((word) => word.slice(0, 3))),
      counts: ['/v1/tickets/counts'],
      'counts, common word': common.map((word) => `/v1/tickets/counts?q=${word}`),
      stats: ['/v1/stats'],
    };
  const of = (sub: string, prefix: string, all: Record<string, string[]>) => Object.entries(all).map(([name, some]) => [`${prefix}${name}`, { paths: some, sub }] as const);
  return Object.fromEntries([...of('ada', '', everybody), ...of(lonely.id, 'one assistant of 40: ', member), ...of(busy.id, 'five assistants of 40: ', member)]);
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
  // An organisation that a kept store has not yet.
  const filling: Filling = { organisation: { ...madeUp(900), id: `org-${Date.now()}` }, tickets: 6_000, end: Date.now() };
  const events = Array.from({ length: filling.tickets }, (_, i) => eventsOf(filling, i)).flat();
  const app = setting.stack.apps['query-search'][0]!;
  await app.end();
  await setting.produce(events.map((event) => recordOf(event)).map(({ topic, key, value, headers }) => ({ topic, key: String(key), value, headers: headers as Record<string, string> })));
  app.start();
  const rate = async (group: string) => {
    const { perSecond } = await catchUp(app, { total: events.length, name: 'deskstream_records_total', label: `group="query-search.${group}"` });
    return [`projection: events/s until ${group} has them all, from the first tenth on`, perSecond] as const;
  };
  return Object.fromEntries(await Promise.all(['ticket-view', 'search'].map(rate)));
}
