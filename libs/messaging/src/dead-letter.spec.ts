import { describe, expect, it } from '@jest/globals';
import { FetchedRecord } from './batch-reader.js';
import { encodeBatch, packRecord } from './batch-writer.js';
import { isWholeBatch, replayedFrom, toDeadLetterRecord, toReplay } from './dead-letter.js';
import type { IncomingRecord, OutgoingRecord, RawHeader } from './record.js';

const raw = (key: string, value: string | null): RawHeader => ({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) });
const read = ({ topic, key, value, headers }: OutgoingRecord, offset = '7'): IncomingRecord => ({
  topic,
  partition: 3,
  offset,
  timestamp: '1',
  key: key as Buffer | null,
  value: value as Buffer | null,
  headers: Object.fromEntries((headers as RawHeader[]).map((header) => [String(header.key), String(header.value)])),
  rawHeaders: headers as RawHeader[],
});
const source = (headers: RawHeader[]): OutgoingRecord => ({ topic: 't', key: Buffer.from([0xff]), value: null, headers });
const buried = (record: IncomingRecord) => read(toDeadLetterRecord({ record, reason: 'not-json', detail: 'no' }, { service: 's', consumer: 'c', attempts: 1, time: new Date(0) }), '9');

describe('a replayed dead letter', () => {
  const headers = [raw('a', '1'), raw('a', null), raw('dead_note', 'kept')];
  const letter = buried(read(source(headers)));

  it('is the record that it was, and says which letter it was', () =>
    expect(toReplay(letter, { topic: 't', partition: 3 })).toEqual({ ...source([...headers, raw(replayedFrom, 'dead.s.t/3/9')]), partition: 3 }));

  it('says only of the last letter that it was one', () => {
    const again = buried(read(toReplay(letter, { topic: 't', partition: undefined })));
    expect(toReplay(again, { topic: 't', partition: undefined })).toEqual(source([...headers, raw(replayedFrom, 'dead.s.t/3/9')]));
  });
});

describe('a dead letter of a batch that nobody could unpack', () => {
  const batch = encodeBatch([packRecord({ topic: 't', key: 'k', value: 'v' })], 0);
  const record = new FetchedRecord('t', 0, '0', '0', null, batch, Buffer.of(0), { producerId: '-1', inTransaction: false, isControlBatch: false });

  it('is told from a letter of a record', () => {
    expect(isWholeBatch(buried(record))).toBe(true);
    expect(isWholeBatch(buried({ ...read(source([])), key: null, value: Buffer.alloc(200) }))).toBe(false);
    expect(isWholeBatch(buried(read(source([]))))).toBe(false);
  });
});
