import { describe, expect, it } from '@jest/globals';
import { currentShape } from '../shape.js';
import type { Member } from './board.store.js';
import { beginning, claimed, shapeOf, type Course } from './course.policy.js';
import { NotNow } from './holder.js';
import { Switch } from './switch.js';

interface Scene {
  /** Whether instances do what the course says. */
  joins?: boolean;
  holds?: boolean;
  instances?: number;
  /** Instances of another version. */
  others?: number;
  /** Days that are still to be counted. */
  waiting?: [live: Map<string, number>, built: Map<string, number>];
  /** Records left when all hold, by question. */
  left?: number[];
  stop?: AbortSignal;
  /** How long each step may take, ms. */
  patience?: number;
}

const usual = (): Required<Scene> => ({ joins: true, holds: true, instances: 2, others: 0, waiting: [new Map(), new Map()], left: [0], stop: new AbortController().signal, patience: 100 });

/** Everybody whom a switch asks, in memory. */
function scene(otherwise: Scene = {}) {
  const { joins, holds, instances, others, waiting, left, stop, patience } = { ...usual(), ...otherwise };
  let course: Course = claimed(beginning, 'me', false);
  const phases: string[] = [];
  let hasLeft = false;
  const member = (): Member => ({ _id: 'one', role: 'instance', name: 'one', beat: 1, seen: course.phase === 'holding' && !holds ? 0 : course.term, joined: joins ? course.building : null, uses: [], shape: currentShape });
  const parts = {
    holder: {
      get course() {
        return course;
      },
      change: async (to: (course: Course) => Course) => {
        course = to(course);
        phases.push(`${course.phase} ${course.live}${hasLeft ? ' left' : ''}`);
      },
      instances: async () => [...Array.from({ length: instances }, member), ...Array.from({ length: others }, () => ({ ...member(), shape: undefined }))],
    },
    followers: { look: async () => ({ done: 0, total: 0, isThere: true }), end: async () => ({ 'ticket.events.v1': [], 'ticket.deadlines.v1': [] }), left: async () => (left.length > 1 ? left.shift()! : left[0]!) },
    marks: waiting.map((days) => ({ waiting: async () => days })) as never,
    leave: async () => void (hasLeft = true),
    rest: async () => undefined,
    signal: stop,
    keepOld: false,
  };
  return { run: () => new Switch(parts, { joinMs: patience, catchUpMs: patience, holdMs: patience }).run(), phases, course: () => course };
}

describe('a switch', () => {
  it('lets instances join, leaves, lets them hold, and is done', async () => {
    const { run, phases, course } = scene({ left: [5, 2, 0], patience: 30_000 });
    await run();
    expect(phases).toEqual(['joining 1', 'holding 1 left', 'serving 2 left']);
    expect(course()).toMatchObject({ live: 2, retired: [1] });
  });

  it('needs no instance', async () => {
    const { run, phases } = scene({ instances: 0, joins: false, holds: false, patience: 30_000 });
    await run();
    expect(phases).toEqual(['joining 1', 'holding 1', 'serving 2']);
  });

  it.each<[string, Scene, string[]]>([
    ['an instance does not join', { joins: false }, ['joining 1', 'serving 1']],
    ['an instance does not hold', { holds: false }, ['joining 1', 'holding 1 left', 'serving 1 left']],
    ['the new read model lags too far behind', { left: [3] }, ['joining 1', 'holding 1 left', 'serving 1 left']],
    ['the new read model does not catch up', { waiting: [new Map(), new Map([['acme/2026-01-01', 5]])] }, ['joining 1', 'serving 1 left']],
  ])('is called off when %s', async (why, trouble, expected) => {
    const { run, phases, course } = scene(trouble);
    await expect(run()).rejects.toThrow(new RegExp(why));
    await expect(scene(trouble).run()).rejects.toBeInstanceOf(NotNow);
    expect(phases).toEqual(expected);
    expect(course()).toMatchObject({ phase: 'serving', live: 1, building: 2 });
  });

  it('is called off when an instance of an older version has joined, and what that has written to is of its shape', async () => {
    const { run, phases, course } = scene({ others: 1 });
    await expect(run()).rejects.toThrow('another version');
    expect(phases).toEqual(['joining 1', 'joining 1', 'serving 1']);
    expect(shapeOf(course(), 2)).toBe(1);
  });

  it('takes statistics that have a day to count when those that are shown miss as much of it', async () => {
    const day = 'acme/2026-01-01';
    await scene({ waiting: [new Map([[day, 5]]), new Map([[day, 5]])] }).run();
    await expect(scene({ waiting: [new Map([[day, 6]]), new Map([[day, 5]])] }).run()).rejects.toThrow();
  });

  it('is called off when it is stopped', async () => {
    const stop = new AbortController();
    const { run, course } = scene({ joins: false, stop: stop.signal });
    const running = run();
    stop.abort();
    await expect(running).rejects.toThrow();
    expect(course()).toMatchObject({ phase: 'serving', live: 1 });
  });
});
