/**
 * Preload for tests (`node --import <dist>/test/support/abort-points.js dist/apps/ticket-command/main.js`): the process signals itself at a chosen
 * moment of its work. Wraps what its libraries export, so the product knows nothing of it. `ABORT_AT` is `<point>#<occurrence>`, counted
 * from SIGUSR2 on where `ABORT_ARMED` is `later`, `ABORT_WITH` the signal; a process that was only stopped goes on from there when it is continued.
 */
import { createRequire } from 'node:module';
import mongoose from 'mongoose';
import { topics } from '#contracts';
import { RecordProducer } from '#messaging';
import { MongoCommitLog } from '#persistence';
import type { AbortPoint } from './abort-plan.js';

const [point, occurrence] = (process.env['ABORT_AT'] ?? '').split('#');
const signal = process.env['ABORT_WITH'] as NodeJS.Signals;
let left = Number(occurrence);
let isArmed = process.env['ABORT_ARMED'] !== 'later';

process.on('SIGUSR2', () => {
  isArmed = true;
  process.stdout.write('armed\n');
});

function reach(reached: AbortPoint): void {
  if (!isArmed || reached !== point || --left !== 0) return;
  process.stdout.write(`reached ${reached}\n`);
  process.kill(process.pid, signal);
}

const log = MongoCommitLog.prototype;
const { find, append } = log;

log.find = async function (keys) {
  const found = await find.call(this, keys);
  if (keys.length > 0) reach('after-look-up');
  return found;
};

log.append = async function (commits) {
  const appended = await append.call(this, commits);
  reach('after-insert');
  return appended;
};

/** What is reached around and amid sending to a topic. */
const moments: { of: RegExp; before?: AbortPoint; some?: AbortPoint; after: AbortPoint }[] = [
  { of: new RegExp(`^${topics.events}$`), some: 'after-some-events', after: 'after-events' },
  { of: new RegExp(`^${topics.commands}$`), before: 'before-forward', some: 'after-some-forwards', after: 'after-forwards' },
  { of: /^dead\.ticket-command\.ticket\.inbound\./, after: 'after-letters' },
  { of: /^ticket\.inbound-results\./, after: 'after-telling' },
  { of: /^ticket\.outbound\./, before: 'before-outbound', some: 'after-some-outbound', after: 'after-outbound' },
];

const { send } = RecordProducer.prototype;

RecordProducer.prototype.send = async function (records, options) {
  const moment = moments.find(({ of }) => of.test(records[0]?.topic ?? ''));
  if (moment === undefined) return send.call(this, records, options);
  if (moment.before) reach(moment.before);
  const some = point === moment.some ? records.length >> 1 : 0;
  if (some > 0) {
    await send.call(this, records.slice(0, some), options);
    reach(moment.some!);
  }
  await send.call(this, records.slice(some), options);
  reach(moment.after);
};

/** The stores of query-search and assignment-notification are no library: they are met where they write. */
const { prototype: collection } = mongoose.mongo.Collection;
const { bulkWrite, insertMany } = collection;

collection.bulkWrite = async function (operations, options) {
  if (this.collectionName === 'timeline') reach('before-rows');
  try {
    return await bulkWrite.call(this, operations, options);
  } finally {
    if (this.collectionName === 'timeline') reach('after-rows'); // rows that were there already are told as an error
    if (this.collectionName === 'tickets') reach('after-views');
    if (this.collectionName === 'tickets') reach(JSON.stringify(operations).includes('need.choice') ? 'after-choice' : 'after-facts');
  }
};

collection.insertMany = async function (documents, options) {
  try {
    return await insertMany.call(this, documents, options);
  } finally {
    if (this.collectionName === 'feed') reach('after-feed');
  }
};

/** The last step before a commit leaves the process; kafkajs shows it nowhere else. */
interface OffsetManager {
  readonly groupId: string;
  commitOffsets(this: OffsetManager, offsets: unknown): Promise<void>;
}
const { prototype: offsets } = createRequire(import.meta.url)('kafkajs/src/consumer/offsetManager') as { prototype: OffsetManager };
const { commitOffsets } = offsets;

offsets.commitOffsets = async function (committed) {
  reach(this.groupId.includes('.outbound.') ? 'before-outbound-commit' : 'before-offset-commit');
  await commitOffsets.call(this, committed);
};
