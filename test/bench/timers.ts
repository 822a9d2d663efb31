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

/** What a million tickets with a deadline to come cost: of the store, and of the service that waits for them. */
export async function timers(setting: Setting, { timers: count, seconds }: TimersSize): Promise<Figures> {
  const client = await new mongoose.mongo.MongoClient(setting.servers.mongodbUri).connect();
  const db = client.db('deskstream_assignment');
  const service = await setting.startNotification();
  await fill(db, count);
  const { storageSize, totalIndexSize, indexSizes } = (await db.command({ collStats: 'watched_tickets' })) as { storageSize: number; totalIndexSize: number; indexSizes: Record<string, number> };
  tell('waiting');
  const looked = () => metric(service.managementUrl, 'deskstream_assignment_last_timer_look_seconds');
  const before = await looked();
  await until('a look at the timers', async () => (await looked()) > before);
  const usage = () => usageOf({ service: [service.pid], store: setting.servers.servers.mongodb.pids });
  const [start, startedAt] = [usage(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const [end, elapsed] = [usage(), (performance.now() - startedAt) / 1_000];
  const corePercent = (name: string) => (100 * (end[name]!.cpuSeconds - start[name]!.cpuSeconds)) / elapsed;
  const figures: Figures = {
    'timers waiting': count,
    'timers: store, MB': (storageSize + totalIndexSize) / 1e6,
    'timers: of it their index, MB': (indexSizes['timers'] ?? 0) / 1e6,
    'timers: service, MB': end['service']!.residentMb,
    'timers: service, % of a core': corePercent('service'),
    'timers: store, % of a core': corePercent('store'),
  };
  await client.close();
  return figures;
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
