import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Fault } from './fault.js';
import { FetchedRecord } from './batch-reader.js';
import type { IncomingRecord, OutgoingRecord } from './record.js';
import { Settler, type RoundHandler, type SettlerOptions } from './settle.js';

Logger.overrideLogger(false);

const context = { producerId: '-1', inTransaction: false, isControlBatch: false };
const record = (value: string, offset = 0, undecodable?: FetchedRecord['undecodable']): IncomingRecord =>
  new FetchedRecord('topic', 3, String(offset), '0', null, Buffer.from(value), Buffer.of(0), context, undecodable);

const never = new AbortController().signal;

function settlerWith(handle: RoundHandler, changed: Partial<SettlerOptions> = {}) {
  const buried: OutgoingRecord[] = [];
  const waits: boolean[] = [];
  const settler = new Settler({
    service: 'spec',
    group: 'group',
    handle,
    bury: async (letters) => void buried.push(...letters),
    isHealthy: async () => true,
    onWait: (trouble) => waits.push(trouble !== undefined),
    backoff: { first: 1, longest: 2 },
    ...changed,
  });
  return { settler, buried, waits, settle: (records: IncomingRecord[], leave = never) => settler.settle(records, never, leave) };
}

const values = (records: readonly IncomingRecord[]) => records.map(({ value }) => String(value)).join('');

describe('settling a round', () => {
  it('narrows a failure down to the record that causes it, in order', async () => {
    const seen: string[] = [];
    const done: string[] = [];
    const { settle, buried } = settlerWith(async ({ records }) => {
      seen.push(values(records));
      if (values(records).includes('x')) throw new Error('x is bad');
      done.push(values(records));
    });
    expect(await settle([...'abcxefgh'].map((value, i) => record(value, i)))).toBe(true);
    expect(seen).toEqual(['abcxefgh', 'abcx', 'ab', 'cx', 'c', 'x', 'x', 'x', 'efgh']);
    expect(done.join('')).toBe('abcefgh');
    expect(buried.map(({ value }) => String(value))).toEqual(['x']);
  });

  it('finds several bad records', async () => {
    const { settle, buried } = settlerWith(async ({ records }) => {
      if (values(records).includes('x')) throw new Error('bad');
    });
    await settle([...'xabxcdx'].map((value, i) => record(value, i)));
    expect(buried).toHaveLength(3);
  });

  it('gives a record three tries of its own', async () => {
    let calls = 0;
    const { settle, buried } = settlerWith(async () => {
      if (++calls < 3) throw new Error('flaky');
    });
    expect(await settle([record('a')])).toBe(true);
    expect(buried).toEqual([]);
  });

  it('does not count trouble that passes as a try', async () => {
    let calls = 0;
    const { settle, buried, waits } = settlerWith(async () => {
      if (++calls < 10) throw new Fault('down');
    });
    expect(await settle([record('a')])).toBe(true);
    expect(buried).toEqual([]);
    expect(waits).toEqual([...Array(9).fill(true), false]);
  });

  it('knows passing trouble by its mark, whoever threw it', async () => {
    let calls = 0;
    const { settle } = settlerWith(async () => {
      if (++calls < 5) throw Object.assign(new Error('store down'), { passes: true });
    });
    expect(await settle([record('a')])).toBe(true);
    expect(calls).toBe(5);
  });

  it('waits until its dead letters are acknowledged', async () => {
    let writes = 0;
    const written: OutgoingRecord[] = [];
    const { settle, waits } = settlerWith(async ({ records }) => records.map((r) => ({ record: r, reason: 'unknown-type' as const, detail: '' })), {
      bury: async (letters) => {
        if (++writes < 4) throw new TypeError('not even a fault');
        written.push(...letters);
      },
    });
    expect(await settle([record('a')])).toBe(true);
    expect(written).toHaveLength(1);
    expect(waits.at(-1)).toBe(false);
  });

  it('is left, uncommitted, when it waits and its partitions are wanted elsewhere', async () => {
    const leave = new AbortController();
    const { settle, waits } = settlerWith(
      async () => {
        leave.abort();
        throw new Fault('down');
      },
      { backoff: { first: 60_000, longest: 60_000 } },
    );
    expect(await settle([record('a')], leave.signal)).toBe(false);
    expect(waits).toEqual([true, false]);
  });

  it('buries a batch that cannot be unpacked without showing it to the handler', async () => {
    const seen: string[] = [];
    const { settle, buried } = settlerWith(async ({ records }) => void seen.push(values(records)));
    await settle([record('a'), record('bomb', 1, { reason: 'oversize', detail: 'too big' }), record('b', 2)]);
    expect(seen).toEqual(['ab']);
    expect(buried).toHaveLength(1);
    expect(buried[0]!.headers).toContainEqual({ key: Buffer.from('dead_reason'), value: Buffer.from('oversize') });
  });

  it('cuts an endless detail', async () => {
    const { settle, buried } = settlerWith(async () => {
      throw new Error('x'.repeat(100_000));
    });
    await settle([record('a')]);
    const headers = buried[0]!.headers as { key: Buffer; value: Buffer }[];
    expect(headers.find(({ key }) => String(key) === 'dead_detail')!.value).toHaveLength(1_000);
  });
});
