import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Principal } from '#contracts';
import { course } from '../../testing/course.js';
import { eventRecord, Running } from '../../testing/running.js';
import { Deliveries } from '../deliveries/deliveries.store.js';
import { CorrespondentsConsumer } from './correspondents.consumer.js';
import { replyClaim, requesterTarget, type Content } from './requester.claimant.js';

const orgId = `org-${randomUUID().slice(0, 8)}`;
const ada: Principal = { orgId, actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role: 'admin', assistantIds: [] } };
const [ticketId, commentId] = [randomUUID(), randomUUID()];
const id = replyClaim(ticketId, commentId);
let running: Running;

beforeAll(async () => {
  running = await Running.start();
  const ticket = course(orgId).created({ id: ticketId, assistantId: 'old-bot', requester: { name: 'Rita' } });
  const moved = ticket.refiled('new-bot');
  await running.part(CorrespondentsConsumer).follow({ records: moved.events.map(eventRecord), signal: new AbortController().signal });
  const message = { type: 'requester.message', id: randomUUID(), at: new Date().toISOString(), orgId, ticketId, number: 1, externalId: null, assistantId: 'old-bot', requester: null, kind: 'reply', text: 'Hello', commentId } as const;
  const content = JSON.stringify({ way: 'assistant', assistantId: 'old-bot', message } satisfies Content);
  await running.part(Deliveries).claim([{ id, orgId, target: requesterTarget(orgId, 'old-bot'), queue: ticketId, seq: 2, content, about: { kind: 'reply', ticketId, commentId } }]);
});
afterAll(() => running?.stop());

const [one, two] = [randomUUID(), randomUUID()];
const send = async (request: string = randomUUID(), by = ada) => (await running.ask(by, 'POST', `/tickets/${ticketId}/replies/${commentId}/send`, { id: request })).status;
const requests = async () => (await running.part(Deliveries).findAnywhere(orgId, id))!.requests;

describe('a reply', () => {
  it('is sent again although its ticket is another assistant’s by now, once for each request, however late that is repeated', async () => {
    expect([await send(one), await send(two), await send(one), await send(two)]).toEqual([202, 202, 202, 202]);
    expect(await requests()).toEqual([one, two]);
  });

  it('is nobody else’s to send', async () => {
    expect(await send(undefined, { ...ada, orgId: 'another' })).toBe(404);
    expect(await send(undefined, { ...ada, actor: { type: 'member', id: 'linus', name: 'Linus' }, access: { role: 'member', assistantIds: ['old-bot'] } })).toBe(404);
    expect(await requests()).toEqual([one, two]);
  });
});
