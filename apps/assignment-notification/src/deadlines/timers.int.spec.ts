import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { Running } from '../../testing/running.js';
import { WatchedTickets } from './watched-tickets.store.js';

type Command = Record<string, unknown>;

let service: Running;
const commands: Command[] = [];
beforeAll(async () => {
  const uri = new URL(process.env['MONGODB_URI']!);
  uri.searchParams.set('monitorCommands', 'true');
  service = await Running.start(undefined, { MONGODB_URI: uri.href });
  service.heardUpTo = 0; // its own looks find nothing due
  const waiting = Array.from({ length: 3_000 }, (_, i) => waitingFor(now + hour + i * 1_000));
  await service.db.collection<{ _id: string }>('watched_tickets').insertMany([...waiting, ...gone], { ordered: false });
  service.db.client.on('commandStarted', ({ command }: mongoose.mongo.CommandStartedEvent) => commands.push(command as Command));
});
afterAll(() => service?.stop());

const now = Date.now();
const hour = 3_600_000;

/** A ticket that waits for a moment; nothing is to be sent of it, and no policy has changed. */
const waitingFor = (lookAt: number) => ({ _id: `acme/${randomUUID()}`, orgId: 'acme', turn: 1, revision: 1, clocks: JSON.stringify({ version: 1, clocks: [] }), ruling: 1, lookAt: new Date(lookAt) });
const gone = Array.from({ length: 7 }, (_, i) => waitingFor(now - i * 1_000));

/** The question that a call asks, told by the limit that nobody else has. */
async function askedBy(call: (tickets: WatchedTickets, limit: number) => Promise<unknown>): Promise<Command> {
  const limit = 300 + commands.length;
  await call(service.part(WatchedTickets), limit);
  return commands.find((command) => command['find'] === 'watched_tickets' && command['limit'] === limit)!;
}

/** How the store answers a question: whether it passes over what it has read, or sorts it, and which part of which index it reads. */
interface Way {
  passesOver: boolean;
  sorts: boolean;
  indexes: string[];
  readsAll: boolean;
}

async function wayOf(question: Command): Promise<Way> {
  const { $db: _db, lsid: _lsid, $clusterTime: _time, readConcern: _concern, ...plain } = question;
  const text = JSON.stringify(await service.db.command({ explain: plain, verbosity: 'executionStats' }));
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!);
  // `Filter`, `Node Type` and `Index Name` are words of PostgreSQL; mongod has others, and counts.
  const [examined = 0, returned = 0] = ['totalDocsExamined', 'nReturned'].map((name) => Number(all(new RegExp(`"${name}":(\\d+)`, 'g'))[0] ?? 0));
  const steps = all(/"(?:Node Type|stage)":"([^"]+)"/g);
  return {
    passesOver: text.includes('"Filter":') || examined > returned || steps.some((step) => /seq scan|collscan/i.test(step)),
    sorts: steps.some((step) => /sort/i.test(step)),
    indexes: all(/"(?:Index Name|indexName)":"([^"]+)"/g),
    readsAll: /\[?\(?MinKey, ?MaxKey/.test(all(/"indexBounds":(\[[^\]]*\]|\{[^}]*\})/g).join()),
  };
}

describe('a look at what waits', () => {
  const questions: [string, string, (tickets: WatchedTickets, limit: number) => Promise<unknown>][] = [
    ['timers that have run out', 'timers', (tickets, limit) => tickets.due(now, limit)],
    ['timers before any has run out', 'timers', (tickets, limit) => tickets.due(now - 24 * hour, limit)],
    ['what is to be sent', 'unsent', (tickets, limit) => tickets.unsent(limit)],
    ['tickets that were judged by older policies', 'rulings', (tickets, limit) => tickets.judgedBefore('acme', 1, limit)],
  ];

  it.each(questions)('reads no other tickets than there are to look at: %s', async (_, index, call) => {
    expect(await wayOf(await askedBy(call))).toEqual({ passesOver: false, sorts: false, indexes: expect.arrayContaining([index]), readsAll: false });
  });

  it('finds those that have run out, the longest first, among many that wait', async () => {
    const found = await service.part(WatchedTickets).due(now, 500);
    expect(found.map(({ ticketId }) => ticketId)).toEqual(gone.map(({ _id }) => _id.slice('acme/'.length)).reverse());
  });

  it('is seen where it reads others', async () => {
    expect(await wayOf({ find: 'watched_tickets', filter: { lookAt: { $lte: new Date(now) }, turn: 1 }, hint: 'timers' })).toMatchObject({ passesOver: true });
    expect(await wayOf({ find: 'watched_tickets', filter: { turn: 1 } })).toMatchObject({ passesOver: true });
  });
});
