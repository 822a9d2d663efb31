import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { NotAcknowledged, type OutgoingRecord } from '#messaging';
import { InboundResults } from './inbound-results.js';

Logger.overrideLogger(false);

const told = (system: string, key: string) => ({ system, key, value: '{}', headers: {} });
const refusedAs = (type: string) => new NotAcknowledged('no', { cause: Object.assign(new Error('gave up'), { cause: Object.assign(new Error('said the broker'), { type }) }) });

function opened({ errors = {}, topics = ['ticket.events.v1'] }: { errors?: Record<string, Error | undefined>; topics?: string[] } = {}) {
  const sent: string[] = [];
  const clock = { ms: 0 };
  const of = async (system: string) => ({
    send: async (records: readonly OutgoingRecord[]) => {
      if (errors[system]) throw errors[system];
      sent.push(...records.map(({ topic, key }) => `${topic} ${String(key)}`));
    },
    topics: async () => topics,
  });
  return { results: new InboundResults({ of }, () => clock.ms), sent, errors, clock };
}

describe('what outside systems are told', () => {
  it('goes to each on its own topic', async () => {
    const { results, sent } = opened();
    await results.send([told('erp', 'a'), told('crm', 'b'), told('erp', 'c')]);
    expect(sent.sort()).toEqual(['ticket.inbound-results.crm.v1 b', 'ticket.inbound-results.erp.v1 a', 'ticket.inbound-results.erp.v1 c']);
  });

  it.each(['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED', 'MESSAGE_TOO_LARGE'])('is dropped where its topic says %s, and others hear nothing of that', async (type) => {
    const { results, sent, errors, clock } = opened({ errors: { erp: refusedAs(type) } });
    await results.send([told('erp', 'a'), told('crm', 'b')]);
    errors['erp'] = undefined;
    await results.send([told('erp', 'while it rests')]);
    clock.ms += 5_000;
    await results.send([told('erp', 'c')]);
    expect(sent).toEqual(['ticket.inbound-results.crm.v1 b', 'ticket.inbound-results.erp.v1 c']);
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
