import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { NotAcknowledged, type OutgoingRecord } from '#messaging';
import { InboundResults } from './inbound-results.js';

Logger.overrideLogger(false);

const told = (system: string, key: string) => ({ system, key, value: '{}', headers: {} });
const refusedAs = (type: string) => new NotAcknowledged('no', { cause: Object.assign(new Error('gave up'), { cause: Object.assign(new Error('said the broker'), { type }) }) });

interface Trouble {
  errors?: Record<string, Error | undefined>;
  topics?: string[];
  /** What refuses a request that holds a record with such a key. */
  refuses?: (keys: readonly string[]) => Error | undefined;
}

function opened({ errors = {}, topics = ['ticket.events.v1'], refuses = () => undefined }: Trouble = {}) {
  const sent: string[] = [];
  let requests = 0;
  const clock = { ms: 0 };
  const of = async (system: string) => ({
    send: async (records: readonly OutgoingRecord[]) => {
      requests += 1;
      const error = errors[system] ?? refuses(records.map(({ key }) => String(key)));
      if (error) throw error;
      sent.push(...records.map(({ topic, key }) => `${topic} ${String(key)}`));
    },
    topics: async () => topics,
  });
  return { results: new InboundResults({ of }, () => clock.ms), sent, errors, clock, requests: () => requests };
}

describe('what outside systems are told', () => {
  it('goes to each on its own topic', async () => {
    const { results, sent } = opened();
    await results.send([told('erp', 'a'), told('crm', 'b'), told('erp', 'c')]);
    expect(sent.sort()).toEqual(['ticket.inbound-results.crm.v1 b', 'ticket.inbound-results.erp.v1 a', 'ticket.inbound-results.erp.v1 c']);
  });

  it.each(['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'])('is dropped where its topic says %s, and others hear nothing of that', async (type) => {
    const { results, sent, errors, clock } = opened({ errors: { erp: refusedAs(type) } });
    await results.send([told('erp', 'a'), told('crm', 'b')]);
    errors['erp'] = undefined;
    await results.send([told('erp', 'while it rests')]);
    clock.ms += 5_000;
    await results.send([told('erp', 'c')]);
    expect(sent).toEqual(['ticket.inbound-results.crm.v1 b', 'ticket.inbound-results.erp.v1 c']);
  });

  it.each([refusedAs('MESSAGE_TOO_LARGE'), new RangeError('too large')])('is told but for the record that cannot be, and so is what comes next: %s', async (error) => {
    const { results, sent } = opened({ refuses: (keys) => (keys.includes('large') ? error : undefined) });
    await results.send(['a', 'b', 'large', 'c', 'd'].map((key) => told('erp', key)));
    await results.send([told('erp', 'e')]);
    expect(sent.map((line) => line.split(' ')[1])).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('is told in parts where a topic does not take so much at once', async () => {
    const { results, sent } = opened({ refuses: (keys) => (keys.length > 2 ? refusedAs('RECORD_LIST_TOO_LARGE') : undefined) });
    await results.send(['a', 'b', 'c', 'd', 'e'].map((key) => told('erp', key)));
    expect(sent).toHaveLength(5);
  });

  it('does not hold a round up for as long as a topic refuses record after record', async () => {
    const { results, requests, sent } = opened({ refuses: () => refusedAs('MESSAGE_TOO_LARGE') });
    await results.send(Array.from({ length: 1_000 }, (_, index) => told('erp', String(index))));
    expect(requests()).toBeLessThan(30);
    expect(sent).toEqual([]);
  });

  it.each<[string, Parameters<typeof opened>[0]]>([
    ['the broker does not answer', { errors: { erp: new NotAcknowledged('no') } }],
    ['the broker lacks replicas', { errors: { erp: refusedAs('NOT_ENOUGH_REPLICAS') } }],
    ['the broker has only just started and knows no topic yet', { errors: { erp: refusedAs('UNKNOWN_TOPIC_OR_PARTITION') }, topics: [] }],
    ['the topic is there after all', { errors: { erp: refusedAs('UNKNOWN_TOPIC_OR_PARTITION') }, topics: ['ticket.events.v1', 'ticket.inbound-results.erp.v1'] }],
  ])('is waited with while %s', async (_, trouble) => {
    await expect(opened(trouble).results.send([told('erp', 'a')])).rejects.toMatchObject({ passes: true });
  });
});
