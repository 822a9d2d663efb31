import { Inject, Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import type { Step } from '#observability';
import { guarded, StoreFault, type Database } from '#persistence';
import { collectionsOf } from '../collections.js';
import { STORE } from '../store.js';
import { beginning, type Course, type Shaped } from './course.policy.js';
import type { Sign } from './presence.js';

/** What a process says of itself. */
export interface Member extends Sign, Shaped {
  role: 'instance' | 'rebuild';
  /** Machine and process, for people. */
  name: string;
  /** The newest term that it has seen and acts by. */
  seen: number;
  /** A generation that is being built and that it keeps up to date. */
  joined: number | null;
  /** Generations that somebody reads through it, beside the live one. */
  uses: number[];
  /** What it builds, and how far that is. */
  doing?: Doing | undefined;
}

/** How far something is, as processes tell each other. */
export type Doing = Pick<Step, 'label' | 'done' | 'total'>;

const courseId = 'course';
/** Who hears nothing for so long tries again, ms: less than a lease. */
const patienceMs = 2_000;

/** Where processes agree on generations of the read model: the course, and who is there. */
@Injectable()
export class Board {
  private readonly courses: mongoose.mongo.Collection<Omit<Course, 'shapes'> & Partial<Pick<Course, 'shapes'>> & { _id: string }>;
  private readonly signs: mongoose.mongo.Collection<Member>;
  private readonly views: mongoose.mongo.Collection;

  constructor(@Inject(STORE) { db }: Database) {
    this.courses = db.collection('generations');
    this.signs = db.collection('generation_members');
    this.views = db.collection(collectionsOf(beginning.live).views);
  }

  /** @throws StoreFault */
  async course(): Promise<Course> {
    const found = await inTime(() => this.courses.findOne({ _id: courseId }, { projection: { _id: 0 } }));
    if (found) return { ...found, shapes: found.shapes ?? {} }; // versions before this one stored none
    const filled = await inTime(() => this.views.findOne({}, { projection: { _id: 1 } }));
    await inTime(() => this.courses.insertOne({ _id: courseId, ...beginning, ...(filled && { shapes: {} }) }).catch(unlessThere));
    return this.course();
  }

  /** Goes on from one course to the next. False when the course is another one by now. @throws StoreFault; then it may have changed */
  async change({ term }: Course, to: Course): Promise<boolean> {
    const { modifiedCount } = await inTime(() => this.courses.replaceOne({ _id: courseId, term }, to));
    return modifiedCount === 1;
  }

  /** @throws StoreFault */
  async say({ _id, ...said }: Omit<Member, 'beat'>): Promise<void> {
    await inTime(() => this.signs.updateOne({ _id }, { $set: said, $inc: { beat: 1 } }, { upsert: true }));
  }

  /** Who said something and did not leave: some of them may be gone. @throws StoreFault */
  async members(): Promise<Member[]> {
    return inTime(() => this.signs.find({}).toArray());
  }

  /** Forgets processes that are gone. @throws StoreFault */
  async forget(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await inTime(() => this.signs.deleteMany({ _id: { $in: [...ids] } }));
  }
}

const duplicateKey = 11_000;

/** Somebody else was faster. */
function unlessThere(error: unknown) {
  if (!(error instanceof mongoose.mongo.MongoServerError && error.code === duplicateKey)) throw error;
}

async function inTime<T>(operation: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new StoreFault(new Error('it says nothing'))), patienceMs)));
  try {
    return await Promise.race([guarded(operation), silence]);
  } finally {
    clearTimeout(timer);
  }
}
