import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { eventually } from '../../../servers/testing/eventually.js';
import { brokers, createTopics } from '../../../messaging/testing/kafka-broker.js';
import { followEvents, type OutboundEvent } from './outbound.js';

const kafka = new Kafka({ clientId: 'spec-outbound', brokers, logLevel: logLevel.NOTHING });

let system: string;
let product: Producer;
beforeAll(async () => {
  product = kafka.producer();
  await product.connect();
});
afterAll(() => product.disconnect());
beforeEach(async () => {
  system = `spec-${randomUUID().slice(0, 8)}`;
  await createTopics([`ticket.outbound.${system}.v1`]);
});

const tell = (ticketId: string, ...versions: number[]) => product.send({ topic: `ticket.outbound.${system}.v1`, messages: versions.map((version) => ({ key: ticketId, value: JSON.stringify({ id: `${ticketId}:${version}`, ticketId, version, type: 'deleted' }) })) });

describe('following events', () => {
  it('hands over what was told before and comes later, in order, again where it failed, and goes on where it stopped', async () => {
    const [seen, ticketId]: [string[], string] = [[], randomUUID()];
    const flaws = [new Error('not now'), new TypeError('there is no such member')];
    await tell(ticketId, 1, 2);
    const take = ({ version }: OutboundEvent) => {
      const flaw = version === 2 ? flaws.shift() : undefined;
      if (flaw) throw flaw;
      seen.push(String(version));
    };
    const first = await followEvents({ kafka, system }, take);
    await eventually(() => expect(seen).toEqual(['1', '2']), 'both are seen');
    await tell(ticketId, 3);
    await eventually(() => expect(seen).toEqual(['1', '2', '3']), 'the third is seen');
    await first.close();
    await tell(ticketId, 4);
    const second = await followEvents({ kafka, system }, take);
    await eventually(() => expect(seen).toEqual(['1', '2', '3', '4']), 'the fourth is seen');
    await second.close();
  });

  it('does not begin where there is no topic', async () => {
    await expect(followEvents({ kafka, system: 'nobody' }, () => undefined)).rejects.toThrow();
  });
});
