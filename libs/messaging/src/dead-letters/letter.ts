import { isUtf8 } from 'node:buffer';
import { DeadLetterHeaders } from '#contracts';
import { isWholeBatch, replayedFrom } from '../dead-letter.js';
import type { IncomingRecord } from '../record.js';
import { namedIn } from './owner.js';

/** What is known of a dead letter without its value. Texts are strangers': print them with `printable`. */
export interface Letter {
  /** `<topic>/<partition>/<offset>` of the letter itself. */
  id: string;
  topic: string;
  partition: number;
  offset: number;
  /** Its timestamp, ms since the epoch. */
  writtenAt: string;
  /** ISO 8601. */
  time: string;
  reason: string;
  detail: string;
  consumer: string | null;
  attempts: string | null;
  /** Where the record was; null when the letter does not say so believably. */
  source: { topic: string; partition: number; offset: string } | null;
  orgId: string | null;
  type: string | null;
  key: string | null;
  /** Of the value; null without one. */
  bytes: number | null;
  /** The letter that this record was once before. */
  replayOf: string | null;
  /** Why it cannot go back, whatever the cause was. */
  hindrance: string | null;
}

/** What a reason of no known letter is called. */
export const unreadable = 'unreadable';

const largestParsed = 64 << 10;

export function readLetter(record: IncomingRecord): Letter {
  const { topic, partition, offset, headers, key, value, timestamp } = record;
  const told = DeadLetterHeaders.safeParse(headers).data;
  const source = sourceOf(topic, told);
  return {
    id: `${topic}/${partition}/${offset}`,
    topic,
    partition,
    offset: Number(offset),
    writtenAt: timestamp,
    ...(told ? sentence(told) : { time: timeOf(timestamp), reason: unreadable, detail: headers['dead_detail'] ?? '', consumer: null, attempts: null }),
    source,
    orgId: headers['ce_orgid'] ?? organisationIn(value),
    type: headers['ce_type'] ?? null,
    key: key && textOf(key),
    bytes: value && value.length,
    replayOf: headers[replayedFrom] ?? null,
    hindrance: hindranceOf(record, source),
  };
}

const sentence = ({ dead_time: time, dead_reason: reason, dead_detail: detail, dead_consumer: consumer, dead_attempts: attempts }: DeadLetterHeaders) => ({ time, reason, detail, consumer, attempts });

/** Believed only where it agrees with the topic that the letter lies on: whoever can write a letter must not choose where a replay goes. */
function sourceOf(topic: string, told: DeadLetterHeaders | undefined): Letter['source'] {
  if (told === undefined || told.dead_topic !== sourceTopic(topic)) return null;
  return { topic: told.dead_topic, partition: Number(told.dead_partition), offset: told.dead_offset };
}

/** The topic whose records a dead-letter topic takes, `dead.<service>.<source>`; undefined for another topic. */
export const sourceTopic = (topic: string): string | undefined => /^dead\.[^.]+\.(.+)$/.exec(topic)?.[1];

function hindranceOf(record: IncomingRecord, source: Letter['source']): string | null {
  if (source === null) return 'its headers do not say where it came from, or name another topic than the one it lies on';
  if (isWholeBatch(record)) return 'it is a whole batch that nobody could unpack: its records must be sent again by who made them';
  return null;
}

const timeOf = (timestamp: string) => {
  const time = new Date(Number(timestamp));
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
};

/** UTF-8, else hexadecimal. */
export const textOf = (bytes: Buffer): string => (isUtf8(bytes) ? bytes.toString() : `0x${bytes.toString('hex')}`);

const organisationIn = (value: Buffer | null): string | null =>
  (value === null || value.length > largestParsed ? [] : namedIn(value)).find((named) => typeof named === 'string') ?? null;

export interface LetterPlace {
  topic: string;
  partition: number;
  offset: number;
}

/** @returns undefined for what is no letter's id. */
export function readId(id: string): LetterPlace | undefined {
  const [, topic, partition, offset] = /^(dead\.[\w-]+\.[\w.-]+)\/(\d{1,6})\/(\d{1,15})$/.exec(id) ?? [];
  return topic === undefined ? undefined : { topic, partition: Number(partition), offset: Number(offset) };
}

/** All of a letter but what `readLetter` tells, for programs: bytes that are no UTF-8 as base64. */
export const contentOf = ({ key, value, rawHeaders }: IncomingRecord) => ({
  headers: rawHeaders.map((header) => [exact(header.key), header.value && exact(header.value)] as const),
  key: key && exact(key),
  value: value && exact(value),
});

const exact = (bytes: Buffer) => (isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') });
