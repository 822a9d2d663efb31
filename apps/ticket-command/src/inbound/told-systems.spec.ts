import { describe, expect, it } from '@jest/globals';
import { InboundResult, type Origin } from '#contracts';
import { commandOf } from '../../../../libs/contracts/testing/builders.js';
import { instanceIn, recordOf, World } from '../../testing/instance.js';

const from = (offset: string): Origin => ({ system: 'erp', id: 'change-17', topic: 'ticket.inbound.erp.v1', partition: 3, offset });
/** The command of an inbound record, at some offset of the command topic. */
const at = (offset: number, origin: Origin, payloadHash = 'hash') => recordOf(commandOf('ticket.create.v1', { title: 'T' }, { origin, payloadHash }), { offset: String(offset) });

async function told(...records: ReturnType<typeof at>[]) {
  const world = new World();
  const instance = instanceIn(world);
  for (const record of records) await instance.handle([record]);
  return { world, results: world.on('ticket.inbound-results.erp.v1') };
}

describe('what an outside system is told of its commands', () => {
  it('is what everybody is told, under the id of its record', async () => {
    const { world, results } = await told(at(0, from('17')));
    expect(results).toHaveLength(1);
    const [ordinary] = world.on('ticket.command-results.v1');
    expect(results[0]).toEqual({ ...ordinary, topic: 'ticket.inbound-results.erp.v1', key: 'change-17' });
    expect(InboundResult.parse(JSON.parse(String(results[0]!.value)))).toMatchObject({ outcome: 'applied', origin: from('17') });
  });

  it('is the same, to the byte, when its record was sent on twice, and a repeat when the system sent it twice', async () => {
    const { world, results } = await told(at(0, from('17')), at(1, from('17')), at(2, from('90')));
    const [first, forwardedAgain, sentAgain] = results.map(({ value }) => String(value));
    expect(forwardedAgain).toBe(first);
    expect(JSON.parse(sentAgain!)).toEqual({ ...JSON.parse(first!), duplicate: true });
    expect(new Set(world.events.map((event) => JSON.stringify(event))).size).toBe(1);
  });

  it('is that an id was used for something else, which changes nothing of the first answer', async () => {
    const { world, results } = await told(at(0, from('17')), at(1, from('90'), 'another hash'), at(2, from('91')));
    const [first, reused, repeated] = results.map(({ value }) => JSON.parse(String(value)));
    expect(reused).toMatchObject({ outcome: 'rejected', duplicate: true, payloadHash: 'hash', problem: { type: '/problems/idempotency-key-reused', status: 422 } });
    expect('ticket' in reused).toBe(false);
    expect(repeated).toEqual({ ...first, duplicate: true });
    expect(world.outcomes().map((line) => line.slice(-5))).toEqual(['ied 1', 'again', 'again']);
  });

  it('is nothing of commands that are not its own', async () => {
    const world = new World();
    await instanceIn(world).handle([recordOf(commandOf('ticket.create.v1', { title: 'T' }))]);
    expect(world.published.map(({ topic }) => topic)).toEqual(['ticket.events.v1', 'ticket.command-results.v1']);
  });
});
