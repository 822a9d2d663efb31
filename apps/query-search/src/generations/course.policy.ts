import { currentShape } from '../shape.js';

/**
 * How far the way from one generation of the read model to the next is. While `serving`, answers come from `live`. While `joining`, instances keep
 * `building` up to date, too. While `holding`, nobody answers.
 */
export type Phase = 'serving' | 'joining' | 'holding';

/**
 * How long answers are held at most, ms: who builds gives up first, then any instance calls the switch off, and only then is somebody who asks told
 * that it cannot be answered.
 */
export const holdMs = { builder: 1_250, instance: 1_500, asker: 2_500 } as const;

/** Which generations there are and what everybody does with them. Changed as a whole, from one term to the next. */
export interface Course {
  term: number;
  phase: Phase;
  live: number;
  building: number | null;
  /** The process that builds; null when it was stopped and nobody has gone on yet. */
  holder: string | null;
  /** The newest number: none is given twice, so that nothing is ever left over under a new generation's names. */
  newest: number;
  /** Not live any more: may be deleted when nobody reads them, shall stay, are being deleted. */
  retired: number[];
  kept: number[];
  dropping: number[];
  /** The shapes of generations by their numbers: the oldest of anybody who wrote to it. */
  shapes: Readonly<Record<string, number>>;
}

/** Of an installation that begins with this version. */
export const beginning: Course = { term: 1, phase: 'serving', live: 1, building: null, holder: null, newest: 1, retired: [], kept: [], dropping: [], shapes: { 1: currentShape } };

const oldestShape = 1;

/** What the documents of a generation look like: see `shape.ts`. */
export const shapeOf = ({ shapes }: Pick<Course, 'shapes'>, generation: number): number => shapes[generation] ?? oldestShape;

/** Who is there, as far as it matters: versions from before there were shapes say none. */
export interface Shaped {
  shape?: number | undefined;
}

/** Whether somebody makes other documents of events than this version does. */
export const isOther = ({ shape = oldestShape }: Shaped): boolean => shape !== currentShape;

/** What is kept up to date by instances of these shapes has documents of the oldest of them; the same course when that is known. */
export function lowered(course: Course, instances: readonly Shaped[]): Course {
  const lowest = Math.min(...instances.map(({ shape = oldestShape }) => shape));
  const tooHigh = keptUp(course).filter((generation) => shapeOf(course, generation) > lowest);
  if (tooHigh.length === 0) return course;
  return next(course, { shapes: { ...course.shapes, ...Object.fromEntries(tooHigh.map((generation) => [generation, lowest])) } });
}

/** Whether what is live is not what this version makes of events. */
export const isOutdated = (course: Course): boolean => shapeOf(course, course.live) < currentShape;

/** Somebody builds: goes on with what was begun in this version's shape, or begins. @param isFresh leaves what was begun */
export function claimed(course: Course, holder: string, isFresh: boolean): Course {
  const goesOn = course.building !== null && shapeOf(course, course.building) === currentShape && !isFresh;
  if (goesOn) return next(course, { holder, phase: 'serving' });
  const left = course.building === null ? [] : [course.building];
  const newest = course.newest + 1;
  return next(course, { holder, phase: 'serving', building: newest, newest, retired: [...course.retired, ...left], shapes: { ...course.shapes, [newest]: currentShape } });
}

/** Instances are to read for the new generation, too. */
export const joining = (course: Course): Course => next(course, { phase: 'joining' });

/** Nobody is to answer for a moment. */
export const holding = (course: Course): Course => next(course, { phase: 'holding' });

/** The generation that was live stays it. */
export const back = (course: Course): Course => next(course, { phase: 'serving' });

/** What was built is live. @throws when nothing was built */
export function switched(course: Course, keepOld: boolean): Course {
  const { live, building, retired, kept } = course;
  if (building === null) throw new Error('there is nothing to switch to');
  const old = keepOld ? { kept: [...kept, live] } : { kept: [], retired: [...retired, ...kept, live] };
  return next(course, { phase: 'serving', live: building, building: null, holder: null, ...old });
}

/** Who builds stops; somebody may go on later. */
export const released = (course: Course): Course => next(course, { phase: 'serving', holder: null });

/** Nobody may begin or go on to read this generation. */
export const dropping = (course: Course, generation: number): Course =>
  next(course, { retired: course.retired.filter((one) => one !== generation), dropping: [...course.dropping, generation] });

/** It is gone. */
export const dropped = (course: Course, generation: number): Course =>
  next(course, { dropping: course.dropping.filter((one) => one !== generation), shapes: Object.fromEntries(Object.entries(course.shapes).filter(([one]) => one !== String(generation))) });

/** Generations that an instance keeps up to date. */
export const keptUp = ({ phase, live, building }: Course): number[] => (phase === 'serving' || building === null ? [live] : [live, building]);

/** Whether what was begun to be read of a generation can be read to its end. */
export const isThere = ({ live, retired, kept }: Course, generation: number) => live === generation || retired.includes(generation) || kept.includes(generation);

const next = (course: Course, change: Partial<Course>): Course => ({ ...course, ...change, term: course.term + 1 });
