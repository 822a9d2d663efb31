import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import type { Sort } from '#contracts';
import { ada } from '../../../libs/contracts/testing/builders.js';
import { eventually } from '../../../libs/servers/testing/eventually.js';
import { Running } from '../testing/running.js';
import { planSteps } from '../testing/plan-steps.js';
import { newYear, Story } from '../testing/stories.js';
import { collectionsOf } from './collections.js';
import { viewBase } from './list-conditions.js';
import { compare, positionOf } from './list-order.js';
import { queryOf } from './list-plan.js';
import { PlannedReads } from './planned-reads.store.js';
import type { TicketView } from './ticket-view.projection.js';

const { views: collection } = collectionsOf(1);
const [stride, pageSize] = [10, 7];
let service: Running;
const commands: Record<string, unknown>[] = [];
let number = 0;
/** Three share a moment. */
const opened = (behindMs: number) => new Story({ number: ++number, at: newYear + behindMs }).create();
const stories = Array.from({ length: 120 }, (_, i) => opened(Math.floor(i / 3) * 1_000));

beforeAll(async () => {
  service = await Running.start(undefined, undefined, true);
  await service.project(...stories.flatMap(({ events }) => events));
  service.db.client.on('commandStarted', ({ command }: mongoose.mongo.CommandStartedEvent) => void ((command['aggregate'] ?? command['find']) === collection && commands.push(command)));
});
afterAll(() => service?.stop());

const projection = { createdAt: 1, updatedAt: 1, priority: 1, number: 1 };
const queryBy = (sort: Sort) => queryOf({ base: viewBase(ada), sort, conditions: [] });

/** Every page, from the last to the first and then in the order of the list, as it should be now. */
async function expectPages(reads: PlannedReads<TicketView>, sort: Sort) {
  const all = await service.db.collection<TicketView>(collection).find(viewBase(ada)).toArray();
  const ids = all.sort((one, other) => compare(sort, positionOf(sort, one), positionOf(sort, other))).map(({ _id }) => _id);
  const starts = Array.from({ length: Math.ceil(ids.length / pageSize) + 1 }, (_, i) => i * pageSize);
  for (const skip of [...starts.toReversed(), ...starts]) {
    const found = await eventually(() => reads.find(queryBy(sort), { skip, limit: pageSize }, projection), 'the store has answered within the 2 s that it has');
    expect({ sort, skip, ids: found.map(({ _id }) => _id) }).toEqual({ sort, skip, ids: ids.slice(skip, skip + pageSize) });
  }
}

describe('pages far into a list of everything', () => {
  it.each<Sort>(['-createdAt', 'createdAt', '-updatedAt', 'updatedAt', '-number', '-priority'])('by %s are those of now, whatever has come and gone since somebody looked there', async (sort) => {
    const reads = new PlannedReads<TicketView>(service.db, collection, stride);
    await expectPages(reads, sort);
    const newest = opened(200_000);
    const [gone, moved] = [stories.pop()!.happens('ticket.delete.v1', {}), stories[number % 50]!.comment('hello')];
    await service.project(...newest.events, ...[gone, moved].map(({ events }) => events.at(-1)!));
    await expectPages(reads, sort);
  });

  it('are found by counting what comes before', async () => {
    const reads = new PlannedReads<TicketView>(service.db, collection, stride);
    const counted = async (skip: number) => {
      commands.length = 0;
      await reads.find(queryBy('-createdAt'), { skip, limit: pageSize }, projection);
      return commands.filter((one) => 'aggregate' in one).length;
    };
    expect([await counted(45), await counted(45), await counted(40), await counted(49), await counted(9)]).toEqual([0, 1, 1, 1, 0]);
  });

  it.each<Sort>(['-createdAt', 'updatedAt'])('by %s are counted and read by their index, in its order', async (sort) => {
    const reads = new PlannedReads<TicketView>(service.db, collection, stride);
    await reads.find(queryBy(sort), { skip: 45, limit: pageSize }, projection);
    commands.length = 0;
    await reads.find(queryBy(sort), { skip: 45, limit: pageSize }, projection);
    expect(commands).toHaveLength(2);
    for (const { $db: _db, lsid: _lsid, $clusterTime: _time, readConcern: _concern, ...plain } of commands) {
      const { scans, sorts, indexes } = planSteps(await service.db.command({ explain: plain, verbosity: 'queryPlanner' }));
      expect({ plain, scans, sorts, uses: indexes.includes(String(plain['hint'])) }).toEqual({ plain, scans: [], sorts: [], uses: true });
    }
  });
});
