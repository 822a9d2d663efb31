import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type mongoose from 'mongoose';
import { Running } from '../../testing/running.js';
import { WatchedTickets } from './watched-tickets.store.js';

jest.setTimeout(120_000);

type Command = Record<string, unknown>;

let service: Running;
const commands: Command[] = [];
beforeAll(async () => {
  const uri = new URL(process.env['MONGODB_URI']!);
  uri.searchParams.set('monitorCommands', 'true');
  service = await Running.start(undefined, { MONGODB_URI: uri.href });
  service.heardUpTo = 0; // its own looks find nothing due
  service.db.client.on('commandStarted', ({ command }: mongoose.mongo.CommandStartedEvent) => commands.push(command as Command));
});
afterAll(() => service?.stop());

const now = Date.now();
const hour = 3_600_000;
const due = 7;

/** Tickets that wait, each for another moment; nothing is to be sent of them, and no policy has changed. */
async function addWaiting(count: number) {
  const tickets = Array.from({ length: count }, (_, i) => ({ _id: `acme/${randomUUID()}`, orgId: 'acme', turn: 1, revision: 1, clocks: JSON.stringify({ version: 1, clocks: [] }), ruling: 1, lookAt: new Date(now + hour + i * 1_000) }));
  for (let i = 0; i < count; i += 1_000) await service.db.collection<{ _id: string }>('watched_tickets').insertMany(tickets.slice(i, i + 1_000), { ordered: false });
}

/** The question that a call asks, told by the limit that nobody else has. */
async function askedBy(call: (tickets: WatchedTickets, limit: number) => Promise<unknown>): Promise<Command> {
  const limit = 300 + commands.length;
  await call(service.part(WatchedTickets), limit);
  return commands.find((command) => command['find'] === 'watched_tickets' && command['limit'] === limit)!;
}

/** What the store does for a question: documents that it has looked at (those that it passed over, too), and the indexes that led there. */
async function workOf(question: Command): Promise<{ rows: number; indexes: string[] }> {
  const { $db: _db, lsid: _lsid, $clusterTime: _time, readConcern: _concern, ...plain } = question;
  const text = JSON.stringify(await service.db.command({ explain: plain, verbosity: 'executionStats' }));
  const numbers = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, count]) => Number(count));
  // PostgreSQL tells of each step what it has passed on and what it has passed over; mongod of the whole what it has looked at.
  const rows = [...numbers(/"(?:Actual Rows|totalDocsExamined)":(\d+)/g), 0];
  const passedOver = numbers(/"Rows Removed by [^"]+":(\d+)/g).reduce((sum, count) => sum + count, 0);
  return { rows: Math.max(...rows) + passedOver, indexes: [...text.matchAll(/"(?:Index Name|indexName)":"([^"]+)"/g)].map(([, name]) => name!) };
}

describe('a look at what waits', () => {
  const questions: [string, number, string, (tickets: WatchedTickets, limit: number) => Promise<unknown>][] = [
    ['timers that have run out', due, 'timers', (tickets, limit) => tickets.due(now, limit)],
    ['timers before any has run out', 0, 'timers', (tickets, limit) => tickets.due(now - 24 * hour, limit)],
    ['what is to be sent', 0, 'unsent', (tickets, limit) => tickets.unsent(limit)],
    ['tickets that were judged by older policies', 0, 'rulings', (tickets, limit) => tickets.judgedBefore('acme', 1, limit)],
  ];

  it('reads as many tickets as there are to look at, whatever else waits', async () => {
    const gone = Array.from({ length: due }, (_, i) => ({ _id: `acme/${randomUUID()}`, orgId: 'acme', turn: 1, revision: 1, clocks: JSON.stringify({ version: 1, clocks: [] }), ruling: 1, lookAt: new Date(now - i * 1_000) }));
    await service.db.collection<{ _id: string }>('watched_tickets').insertMany(gone);
    for (const more of [500, 4_500]) {
      await addWaiting(more);
      for (const [what, rows, index, call] of questions) expect({ what, ...(await workOf(await askedBy(call))) }).toEqual({ what, rows, indexes: expect.arrayContaining([index]) });
    }
  });

  it('is seen where it reads more', async () => {
    const { rows } = await workOf({ find: 'watched_tickets', filter: { lookAt: { $gt: new Date(now) } }, hint: 'timers', limit: 400 });
    expect(rows).toBeGreaterThanOrEqual(400);
  });
});
