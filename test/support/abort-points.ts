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

/** What is reached around and amid sending to a topic, of several the first; with `type` only where such a record is among what is sent. */
const moments: { of: RegExp; type?: string; before?: AbortPoint; some?: AbortPoint; after: AbortPoint }[] = [
  { of: new RegExp(`^${topics.events}$`), some: 'after-some-events', after: 'after-events' },
  { of: new RegExp(`^${topics.commands}$`), type: 'ticket.report-reply-delivery.v1', before: 'before-report', after: 'after-report' },
  { of: new RegExp(`^${topics.commands}$`), before: 'before-forward', some: 'after-some-forwards', after: 'after-forwards' },
  { of: new RegExp(`^${topics.deadlines}$`), type: 'ticket.deadline-missed.v1', some: 'after-some-news', after: 'after-news' },
  { of: new RegExp(`^${topics.notices}$`), after: 'after-live' },
  { of: /^dead\.ticket-command\.ticket\.inbound\./, after: 'after-letters' },
  { of: /^ticket\.inbound-results\./, after: 'after-telling' },
  { of: /^ticket\.outbound\./, before: 'before-outbound', some: 'after-some-outbound', after: 'after-outbound' },
];

const { send } = RecordProducer.prototype;

RecordProducer.prototype.send = async function (records, options) {
  const types = new Set(records.map(({ headers }) => (headers && 'ce_type' in headers ? headers.ce_type : undefined)));
  const moment = moments.find(({ of, type }) => of.test(records[0]?.topic ?? '') && (type === undefined || types.has(type)));
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

type Method = 'bulkWrite' | 'insertMany' | 'insertOne' | 'updateMany' | 'updateOne';

/** What is reached around a write; with `has` only where its text says so. */
interface Writing {
  of: string;
  by: Method;
  has?: (text: string) => boolean;
  before?: AbortPoint;
  after?: AbortPoint;
}

const choice = (text: string) => text.includes('need.choice');

const writings: Writing[] = [
  { of: 'timeline', by: 'bulkWrite', before: 'before-rows', after: 'after-rows' }, // rows that were there already are told as an error
  { of: 'feed', by: 'insertMany', after: 'after-feed' },
  { of: 'tickets', by: 'bulkWrite', after: 'after-views' },
  { of: 'tickets', by: 'bulkWrite', has: choice, after: 'after-choice' },
  { of: 'tickets', by: 'bulkWrite', has: (text) => !choice(text), after: 'after-facts' },
  { of: 'hand_backs', by: 'insertOne', after: 'after-hand-back' },
  { of: 'watched_tickets', by: 'bulkWrite', has: (text) => text.includes('ticket.deadline-missed.v1'), after: 'after-missed' },
  { of: 'notices', by: 'insertMany', after: 'after-notices' },
  { of: 'deliveries', by: 'insertMany', after: 'after-claims' },
  { of: 'deliveries', by: 'insertMany', has: (text) => text.includes('~'), after: 'after-replayed' },
  { of: 'deliveries', by: 'updateMany', has: (text) => text.includes('"$literal"'), before: 'before-note', after: 'after-note' },
  { of: 'judged', by: 'updateOne', after: 'after-judged' },
  { of: 'inbound_mails', by: 'insertOne', after: 'after-mail' },
];

/** The stores of query-search and assignment-notification are no library: they are met where they write. */
const { prototype: collection } = mongoose.mongo.Collection as unknown as { prototype: Record<Method, (this: { collectionName: string }, ...given: unknown[]) => Promise<unknown>> };

for (const by of new Set(writings.map((one) => one.by))) {
  const write = collection[by];
  collection[by] = async function (...given) {
    const met = writings.filter((one) => one.of === this.collectionName && one.by === by && [one.before, one.after].includes(point as AbortPoint) && (one.has?.(JSON.stringify(given)) ?? true));
    for (const { before } of met) if (before) reach(before);
    try {
      return await write.apply(this, given);
    } finally {
      for (const { after } of met) if (after) reach(after);
    }
  };
}

/** The last step before a commit leaves the process; kafkajs shows it nowhere else. */
interface OffsetManager {
  readonly groupId: string;
  commitOffsets(this: OffsetManager, offsets: unknown): Promise<void>;
}
const { prototype: offsets } = createRequire(import.meta.url)('kafkajs/src/consumer/offsetManager') as { prototype: OffsetManager };
const { commitOffsets } = offsets;

const beforeCommit = (groupId: string): AbortPoint => (groupId.includes('.outbound.') ? 'before-outbound-commit' : groupId.endsWith('.claims') ? 'before-claims-commit' : 'before-offset-commit');

offsets.commitOffsets = async function (committed) {
  reach(beforeCommit(this.groupId));
  await commitOffsets.call(this, committed);
};
