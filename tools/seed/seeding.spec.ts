import { describe, expect, it } from '@jest/globals';
import { topics } from '#contracts';
import { NotAcknowledged, type OutgoingRecord } from '#messaging';
import type { Step } from '#observability';
import { madeUp } from './organisations.js';
import { commandsOf, sharesOf } from './plan.js';
import { Seeding, SeedingFailed } from './seeding.js';

const plan = { seed: 5, shares: sharesOf(600, [madeUp(3)]), end: Date.parse('2026-11-18T15:00:00Z') };
const all = [...commandsOf(plan)];

/** A broker with ticket-command behind it, which decides so many commands whenever somebody waits. */
function installation({ perPause = 1_000, dead = 0, failing = 0, noWait = false, deaf = 0 } = {}) {
  const world = { records: [] as OutgoingRecord[], decided: 0, most: 0, time: 0, failures: failing, deaf, steps: [] as Step[], stop: new AbortController() };
  const seeding = new Seeding({
    producer: {
      send: (records) => {
        if (world.failures-- > 0) return Promise.reject(new NotAcknowledged('no broker'));
        world.records.push(...records);
        world.most = Math.max(world.most, world.records.length - world.decided);
        return Promise.resolve();
      },
    },
    backlog: {
      of: (_, topic) => world.deaf-- > 0 ? Promise.reject(new Error('no broker')) : Promise.resolve(topic === topics.commands ? world.records.length - world.decided : 0),
      written: () => Promise.resolve(world.records.length > 0 ? dead : 0),
      readingNow: (group) => Promise.resolve(group === 'query-search.ticket-view' ? group : undefined),
    },
    progress: { tell: (step) => void world.steps.push(step), say: () => undefined },
    signal: world.stop.signal,
    noWait,
    clock: () => world.time,
    pause: (ms) => {
      world.time += ms;
      world.decided = Math.min(world.records.length, world.decided + perPause);
      return Promise.resolve();
    },
  });
  return { world, seeding };
}

describe('seeding', () => {
  it('sends every command once, in order, keyed by its ticket', async () => {
    const { world, seeding } = installation();
    expect(await seeding.send(all, 600)).toEqual({ commands: all.length, tickets: 600, complete: 600 });
    expect(world.records.map(({ headers }) => (headers as Record<string, string>)['ce_id'])).toEqual(all.map(({ command }) => command.commandId));
    expect(world.records.every(({ topic, key, value }) => topic === topics.commands && key === (JSON.parse(value as string) as { ticketId: string }).ticketId)).toBe(true);
  });

  it('never gets far ahead of ticket-command', async () => {
    const { world, seeding } = installation({ perPause: 200 });
    await seeding.send(all, 600);
    expect(world.most).toBeLessThanOrEqual(3_500);
    expect(all.length).toBeGreaterThan(4_000);
  });

  it('gets ahead as far as the broker lets it where nobody waits', async () => {
    const { world, seeding } = installation({ perPause: 0, noWait: true });
    await seeding.send(all, 600);
    expect(world.most).toBe(all.length);
  });

  it('sends again what the broker did not acknowledge', async () => {
    const { world, seeding } = installation({ failing: 3 });
    await seeding.send(all, 600);
    expect(world.records).toHaveLength(all.length);
  });

  it('asks again when a broker does not say how far the services are', async () => {
    const { world, seeding } = installation({ deaf: 5 });
    await seeding.send(all, 600);
    expect(world.records).toHaveLength(all.length);
  });

  it('gives up when it never does', async () => {
    const { seeding } = installation({ deaf: Infinity });
    await expect(seeding.send(all, 600)).rejects.toThrow('The broker does not answer any more.');
  });

  it('gives up when the broker stays silent', async () => {
    const { seeding } = installation({ failing: Infinity });
    await expect(seeding.send(all, 600)).rejects.toThrow(SeedingFailed);
  });

  it('says that nobody decides when nothing moves for a minute', async () => {
    const { world, seeding } = installation({ perPause: 0 });
    await expect(seeding.send(all, 600)).rejects.toThrow('ticket-command has taken nothing for a minute, 1 records wait for it. Is it running?');
    expect(world.records).toHaveLength(1);
  });

  it('stops after the first command when commands of the past are not taken', async () => {
    const { world, seeding } = installation({ dead: 1 });
    await expect(seeding.send(all, 600)).rejects.toThrow('ALLOW_PAST_COMMANDS=true');
    expect(world.records).toHaveLength(1);
  });

  it('stops when it is asked to, and tells from where to go on', async () => {
    const { world, seeding } = installation();
    const some = function* () {
      for (const planned of all) {
        if (world.records.length > 3_000) world.stop.abort();
        yield planned;
      }
    };
    const { commands, tickets, complete } = await seeding.send(some(), 600);
    expect(commands).toBe(world.records.length);
    expect(tickets).toBeGreaterThanOrEqual(complete);
    const whole = new Set([...commandsOf(plan, complete)].map(({ command }) => command.commandId));
    const sent = new Set(world.records.map(({ headers }) => (headers as Record<string, string>)['ce_id']));
    expect(all.filter(({ command }) => !sent.has(command.commandId) && !whole.has(command.commandId))).toEqual([]);
  });

  it('follows the services until nothing is left', async () => {
    const { world, seeding } = installation({ perPause: 300, noWait: true });
    await seeding.send(all, 600);
    world.steps.length = 0;
    await seeding.follow();
    expect(world.decided).toBe(all.length);
    expect(world.steps.map(({ label }) => label)).toContain('ticket-view up to date');
  });
});
