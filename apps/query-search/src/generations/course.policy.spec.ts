import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { currentShape } from '../shape.js';
import { back, beginning, claimed, dropped, dropping, holding, isOutdated, isThere, joining, keptUp, lowered, released, shapeOf, switched, type Course } from './course.policy.js';

const switching = holding(joining(claimed(beginning, 'a', false)));

describe('the course of the read model', () => {
  it('goes from one generation to the next', () => {
    const done = switched(switching, false);
    expect(done).toMatchObject({ live: 2, building: null, holder: null, phase: 'serving', retired: [1] });
    expect(dropped(dropping(done, 1), 1)).toMatchObject({ live: 2, retired: [], dropping: [] });
  });

  it('keeps what was live where that is wanted, until the next switch', () => {
    const kept = switched(switching, true);
    expect(kept).toMatchObject({ live: 2, kept: [1], retired: [] });
    expect(switched(claimed(kept, 'b', false), false)).toMatchObject({ live: 3, kept: [], retired: [1, 2] });
  });

  it('goes on with what somebody has left, or leaves it and takes a number that was never there', () => {
    const left = released(claimed(beginning, 'a', false));
    expect(claimed(left, 'b', false)).toMatchObject({ building: 2, holder: 'b', retired: [] });
    expect(claimed(left, 'b', true)).toMatchObject({ building: 3, holder: 'b', retired: [2] });
  });

  it('stays where it was when a switch is called off', () => {
    const { term: _, ...before } = claimed(beginning, 'a', false);
    expect(back(switching)).toMatchObject(before);
  });

  it('has nothing to switch to before something is built', () => expect(() => switched(beginning, false)).toThrow('nothing to switch to'));

  it('lets instances keep up both generations while they switch, else the live one', () => {
    expect([beginning, claimed(beginning, 'a', false), joining(claimed(beginning, 'a', false)), switching, switched(switching, false)].map(keptUp)).toEqual([[1], [1], [1, 2], [1, 2], [2]]);
  });

  it('knows what generations look like: as the version that builds them makes them, or an older one that writes, too', () => {
    const old: Course = { ...beginning, shapes: {} };
    expect([isOutdated(old), isOutdated(beginning)]).toEqual([true, false]);
    const built = claimed(old, 'a', false);
    expect([shapeOf(built, 1), shapeOf(built, 2)]).toEqual([1, currentShape]);
    expect(isOutdated(switched(built, false))).toBe(false);
    expect(dropped(dropping(switched(built, false), 1), 1).shapes).toEqual({ 2: currentShape });
    const [today, yesterday] = [{ shape: currentShape }, {}];
    expect(lowered(beginning, [today])).toBe(beginning);
    expect(lowered(beginning, [])).toBe(beginning);
    expect(isOutdated(lowered(beginning, [today, yesterday]))).toBe(true);
    expect(shapeOf(lowered(built, [yesterday]), 2)).toBe(currentShape); // nobody else writes there yet
    expect(shapeOf(lowered(joining(built), [yesterday]), 2)).toBe(1);
  });

  it('goes on with nothing that is of another shape', () => {
    const left = released(claimed({ ...beginning, shapes: {} }, 'a', false));
    expect(claimed(left, 'b', false)).toMatchObject({ building: 2 });
    expect(claimed({ ...left, shapes: {} }, 'b', false)).toMatchObject({ building: 3, retired: [2] });
  });

  it('never gives a number twice, never goes back, and knows every generation at one place only', () => {
    const steps: ((course: Course) => Course)[] = [
      (course) => claimed(course, 'a', false), (course) => lowered(course, [{}]), (course) => claimed(course, 'a', true), joining, holding, back, released,
      (course) => (course.building === null ? course : switched(course, false)),
      (course) => (course.building === null ? course : switched(course, true)),
      (course) => (course.retired.length > 0 ? dropping(course, course.retired[0]!) : course),
      (course) => (course.dropping.length > 0 ? dropped(course, course.dropping[0]!) : course),
    ];
    fc.assert(
      fc.property(fc.array(fc.nat(steps.length - 1), { maxLength: 40 }), (turns) => {
        let course = beginning;
        for (const turn of turns) {
          const next = steps[turn]!(course);
          const all = [next.live, ...(next.building === null ? [] : [next.building]), ...next.retired, ...next.kept, ...next.dropping];
          expect(new Set(all).size).toBe(all.length);
          expect(Math.max(...all)).toBeLessThanOrEqual(next.newest);
          expect(next.live).toBeGreaterThanOrEqual(course.live);
          expect([next.live, next.building].every((generation) => generation === null || Object.hasOwn(next.shapes, generation))).toBe(true);
          expect(next === course || next.term === course.term + 1).toBe(true);
          expect(next.dropping.some((generation) => isThere(next, generation))).toBe(false);
          course = next;
        }
      }),
    );
  });
});
