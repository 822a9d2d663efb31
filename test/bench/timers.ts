import mongoose from 'mongoose';
import { v5 } from 'uuid';
import type { Figures } from './measures.js';
import { metric, tell, until, type Setting } from './setting.js';
import { usageOf } from './usage.js';

/** Waiting timers, and how long their service is watched while it waits, s. */
export interface TimersSize {
  timers: number;
  seconds: number;
}

const namespace = '0d9c6d0e-6c51-4a0f-8e49-6a6b1d0a7b11';
const day = 86_400_000;

/** By so much of a core the store may still work more than before it was filled when its own tidying counts as over, %; how long that is looked at, s, and waited for at most. */
const tidy = { morePercent: 3, lookSeconds: 10, mostSeconds: 900 } as const;

/**
 * What a million tickets with a deadline to come cost: the store, and the service that waits for them. Beside it stands what both take where nothing waits. A store that was
 * filled at once tidies up by itself for a while (statistics, dead rows, pages to be written): that is waited for and told apart.
 */
export async function timers(setting: Setting, { timers: count, seconds }: TimersSize): Promise<Figures> {
  const client = await new mongoose.mongo.MongoClient(setting.servers.mongodbUri).connect();
  const db = client.db('deskstream_assignment');
  const service = await setting.startNotification();
  const usage = () => usageOf({ service: [service.pid], store: setting.servers.servers.mongodb.pids });
  await looks(service.managementUrl);
  const before = await shares(usage, seconds);
  await fill(db, count);
  const filled = { at: performance.now(), cpuSeconds: usage()['store']!.cpuSeconds };
  for (let now = await shares(usage, tidy.lookSeconds); now.store > before.store + tidy.morePercent && performance.now() - filled.at < tidy.mostSeconds * 1_000; now = await shares(usage, tidy.lookSeconds)) {
    tell(`the store tidies up: ${now.store.toFixed(1)} % of a core`);
  }
  const tidied = { seconds: (performance.now() - filled.at) / 1_000, cpuSeconds: usage()['store']!.cpuSeconds - filled.cpuSeconds };
  await looks(service.managementUrl);
  const after = await shares(usage, seconds);
  const figures: Figures = {
    'timers waiting': count,
    ...(await sizes(db, count)),
    'timers: store, tidying after the fill': `${tidied.seconds.toFixed(0)} s, ${tidied.cpuSeconds.toFixed(1)} CPU s`,
    'timers: service, MB': usage()['service']!.residentMb,
    'timers: service, % of a core (nothing waiting)': `${after.service.toFixed(1)} (${before.service.toFixed(1)})`,
    'timers: store, % of a core (nothing waiting)': `${after.store.toFixed(1)} (${before.store.toFixed(1)})`,
  };
  await client.close();
  return figures;
}

/** Returns when timers were looked at once more. */
async function looks(managementUrl: string): Promise<void> {
  const looked = () => metric(managementUrl, 'deskstream_assignment_last_timer_look_seconds');
  const before = await looked();
  await until('a look at the timers', async () => (await looked()) > before);
}

/** What both take for a while, % of a core. */
async function shares(usage: () => ReturnType<typeof usageOf>, seconds: number): Promise<{ service: number; store: number }> {
  const [start, startedAt] = [usage(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const [end, elapsed] = [usage(), (performance.now() - startedAt) / 1_000];
  const corePercent = (name: string) => (100 * (end[name]!.cpuSeconds - start[name]!.cpuSeconds)) / elapsed;
  return { service: corePercent('service'), store: corePercent('store') };
}

/** Bytes of a timer in the store, with each index. */
async function sizes(db: mongoose.mongo.Db, count: number): Promise<Figures> {
  const { storageSize, totalIndexSize, indexSizes } = (await db.command({ collStats: 'watched_tickets' })) as { storageSize: number; totalIndexSize: number; indexSizes: Record<string, number> };
  const indexes = Object.entries(indexSizes).map(([name, bytes]) => [`timers: index ${name}, bytes a timer`, bytes / count] as const);
  return { 'timers: store, bytes a timer': (storageSize + totalIndexSize) / count, 'timers: documents, bytes a timer': storageSize / count, ...Object.fromEntries(indexes) };
}

/** Tickets as the service stores them: a first reply and a resolution to come within a month. */
async function fill(db: mongoose.mongo.Db, count: number): Promise<void> {
  const tickets = db.collection<{ _id: string }>('watched_tickets');
  const now = Date.now();
  for (let from = 0; from < count; from += 2_000) {
    const some = Array.from({ length: Math.min(2_000, count - from) }, (_, i) => ticketOf(from + i, now));
    await tickets.insertMany(some, { ordered: false });
    if (from % 100_000 === 0) tell(`${from} of ${count} timers`);
  }
}

function ticketOf(i: number, now: number) {
  const dueAt = now + day + (i % 30) * day + i;
  const begun = { since: 1, begunAt: now - day };
  const clocks = { version: 1, pauses: [], clocks: [{ kind: 'first-reply', ...begun }, { kind: 'resolution', ...begun }], priority: 'normal', assistantId: 'bench-bot', assignee: null, createdBy: { type: 'agent', id: 'bench-bot' } };
  const deadlines = ['first-reply', 'resolution'].map((kind) => `${kind} running ${dueAt}`).join();
  return { _id: `bench/${v5(String(i), namespace)}`, orgId: 'bench', turn: 1, revision: 1, clocks: JSON.stringify(clocks), deadlines, ruling: 1, lookAt: new Date(dueAt) };
}
