import { describe, expect, it } from '@jest/globals';
import type { PackedRecord } from './batch-writer.js';
import type { OutgoingRecord } from './record.js';
import { SendQueue, type SendQueueLimits } from './send-queue.js';

const limits: SendQueueLimits = {
  maxQueued: 1_000,
  maxQueuedBytes: 1 << 20,
  maxRequest: 5,
  maxRequestBytes: 10_000,
  maxRecordBytes: 20_000,
};

/** A broker that answers when told to. */
class SlowBroker {
  readonly requests: string[][] = [];
  #answers: { acknowledge: () => void; fail: (error: Error) => void }[] = [];
  readonly transmit = (records: PackedRecord[]): Promise<void> => {
    this.requests.push(records.map(({ value }) => String(value)));
    return new Promise((acknowledge, fail) => this.#answers.push({ acknowledge, fail }));
  };
  async answer(error?: Error): Promise<void> {
    const { acknowledge, fail } = this.#answers.shift()!;
    if (error) fail(error);
    else acknowledge();
    await turn();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const record = (value: string): OutgoingRecord => ({ topic: 't', key: 'k', value });
const records = (...values: string[]): OutgoingRecord[] => values.map(record);
const fate = (call: Promise<void>) => call.then(() => 'acknowledged', (error: Error) => error.name);

function open(changed: Partial<SendQueueLimits> = {}, clock?: () => number) {
  const broker = new SlowBroker();
  return { broker, queue: new SendQueue({ ...limits, ...changed }, broker.transmit, clock) };
}

describe('send queue', () => {
  it('sends at once when nothing is in flight', async () => {
    const { broker, queue } = open();
    const call = queue.send(records('a'));
    await Promise.resolve();
    await Promise.resolve();
    expect(broker.requests).toEqual([['a']]);
    await broker.answer();
    expect(await fate(call)).toBe('acknowledged');
  });

  it('gathers what is sent while a request is in flight, in the order of the calls', async () => {
    const { broker, queue } = open();
    const calls = [queue.send(records('a'))];
    await turn();
    calls.push(queue.send(records('b', 'c')), queue.send(records('d')));
    await turn();
    expect(broker.requests).toEqual([['a']]);
    await broker.answer();
    expect(broker.requests).toEqual([['a'], ['b', 'c', 'd']]);
    await broker.answer();
    expect(await Promise.all(calls.map(fate))).toEqual(Array(3).fill('acknowledged'));
  });

  it('bounds a request by records and splits a call over requests', async () => {
    const { broker, queue } = open();
    const call = queue.send(records('1', '2', '3', '4', '5', '6', '7'));
    await turn();
    await broker.answer();
    await broker.answer();
    expect(broker.requests).toEqual([['1', '2', '3', '4', '5'], ['6', '7']]);
    expect(await fate(call)).toBe('acknowledged');
  });

  it('bounds a request by bytes, and sends a larger record alone', async () => {
    const { broker, queue } = open();
    const [small, large] = ['s', 'l'.repeat(15_000)];
    void queue.send(records(small, large, small));
    await turn();
    await broker.answer();
    await broker.answer();
    expect(broker.requests).toEqual([[small], [large], [small]]);
  });

  it('rejects what was in a failed request and all that was queued behind it, and sends none of it later', async () => {
    const { broker, queue } = open();
    const first = queue.send(records('v1'));
    await turn();
    const behind = queue.send(records('v2'));
    await broker.answer(new Error('no leader'));
    expect(await Promise.all([first, behind].map(fate))).toEqual(['NotAcknowledged', 'NotAcknowledged']);
    const again = queue.send(records('v1', 'v2'));
    await turn();
    await broker.answer();
    expect(await fate(again)).toBe('acknowledged');
    expect(broker.requests).toEqual([['v1'], ['v1', 'v2']]);
    expect(queue.records).toBe(0);
  });

  it('refuses at once what does not fit the queue, and takes more when there is room again', async () => {
    const { broker, queue } = open({ maxQueued: 3 });
    const first = queue.send(records('a', 'b'));
    await turn();
    expect(await fate(queue.send(records('c', 'd')))).toBe('Overloaded');
    const third = queue.send(records('c'));
    await broker.answer();
    await broker.answer();
    expect(await Promise.all([first, third].map(fate))).toEqual(['acknowledged', 'acknowledged']);
    expect(broker.requests.flat()).toEqual(['a', 'b', 'c']);
  });

  it('bounds the queue in bytes too', async () => {
    const { queue } = open({ maxQueuedBytes: 5_000 });
    void queue.send(records('x'.repeat(4_000)));
    expect(await fate(queue.send(records('x'.repeat(4_000))))).toBe('Overloaded');
  });

  it('drops what is still queued at its deadline', async () => {
    const { broker, queue } = open();
    void queue.send(records('a'));
    await turn();
    const late = queue.send(records('late'), Date.now() + 20);
    const patient = queue.send(records('b'));
    expect(await fate(late)).toBe('NotAcknowledged');
    await broker.answer();
    await broker.answer();
    expect(await fate(patient)).toBe('acknowledged');
    expect(broker.requests).toEqual([['a'], ['b']]);
  });

  it('tells a call in flight of its deadline without waiting for the broker', async () => {
    const { broker, queue } = open();
    const calls = [queue.send(records('a'), Date.now() + 30), queue.send(records('b'), Date.now() + 10_000)];
    expect(await fate(calls[0]!)).toBe('NotAcknowledged');
    await broker.answer();
    expect(await fate(calls[1]!)).toBe('acknowledged');
    expect(queue.records).toBe(0);
  });

  it('sends nothing whose deadline has passed before', async () => {
    const { broker, queue } = open();
    expect(await fate(queue.send(records('a'), Date.now() - 1))).toBe('NotAcknowledged');
    await turn();
    expect(broker.requests).toEqual([]);
  });

  it('refuses a record that no topic would take, without harm to others', async () => {
    const { broker, queue } = open();
    const good = queue.send(records('a'));
    expect(await fate(queue.send(records('x'.repeat(30_000))))).toBe('RangeError');
    await turn();
    await broker.answer();
    expect(await fate(good)).toBe('acknowledged');
  });

  it('sends what is queued when it is closed, takes nothing more, and gives up in time', async () => {
    const { broker, queue } = open();
    const [first, second] = [queue.send(records('a')), queue.send(records('b', 'c', 'd', 'e', 'f'))];
    await turn();
    const closed = queue.close(Date.now() + 50);
    expect(await fate(queue.send(records('late')))).toBe('NotAcknowledged');
    await broker.answer();
    await closed;
    expect(await Promise.all([first, second].map(fate))).toEqual(['acknowledged', 'NotAcknowledged']);
  });
});
