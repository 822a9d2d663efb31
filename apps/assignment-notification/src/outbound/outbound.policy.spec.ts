import { describe, expect, it } from '@jest/globals';
import { outboundValue, type Producer } from '#contracts';
import { course } from '../../testing/course.js';
import { isTold } from './outbound.policy.js';
import { outboundRecord } from './outbound.reader.js';

const producer = (changes: Partial<Producer> = {}): Producer => ({ id: 'erp', name: 'ERP', commands: ['create'], assistantIds: ['billing-bot'], outbound: { from: '2026-01-01T00:00:00.000Z', notes: false }, ...changes });
const told = (events: ReturnType<typeof course>['events'], of = producer()) => events.filter((event) => isTold(of, event)).map(({ version }) => version);
const billing = () => course().created({ assistantId: 'billing-bot' });

describe('what an outside system is told', () => {
  it('is what happens on tickets of its assistants, and on those that it made', () => {
    expect(told(billing().moved('pending').replied().events)).toEqual([1, 2, 3]);
    expect(told(course().created({ assistantId: 'tech-bot' }).events)).toEqual([]);
    expect(told(course().created({ assistantId: null }).events)).toEqual([]);
    expect(told(course().created({ createdBy: { type: 'system', id: 'erp', name: 'ERP' } }).events)).toEqual([1]);
    expect(told(course().created({ createdBy: { type: 'agent', id: 'erp', name: 'ERP' } }).events)).toEqual([]);
    expect(told(course().created({ assignee: { type: 'agent', id: 'erp', name: 'ERP' } }).events)).toEqual([]);
  });

  it('is nothing where it did not ask, or has no assistants', () => {
    const { outbound: _, ...silent } = producer();
    expect(told(billing().events, silent)).toEqual([]);
    expect(told(billing().events, producer({ assistantIds: [] }))).toEqual([]);
  });

  it('goes by the ticket after the event: nothing of one that leaves its sight, all of one that comes into it', () => {
    expect(told(billing().refiled('tech-bot').moved('pending').refiled('billing-bot').moved('resolved').events)).toEqual([1, 4, 5]);
  });

  it('has notes only where they are granted', () => {
    const { events } = billing().commented('note', 'Secret').commented('comment', 'Known');
    expect(told(events)).toEqual([1, 3]);
    expect(told(events, producer({ outbound: { from: '2026-01-01T00:00:00.000Z', notes: true } }))).toEqual([1, 2, 3]);
  });

  it('begins at its time, which is part of it', () => {
    const { events } = course().at('2026-01-05T10:00:00.000Z').created({ assistantId: 'billing-bot' }).at('2026-01-05T10:00:00.001Z').moved('pending');
    expect(told(events, producer({ outbound: { from: '2026-01-05T10:00:00.001Z', notes: false } }))).toEqual([2]);
  });
});

describe('a record', () => {
  it('is the event as webhooks are sent it, its organisation, and nothing internal', () => {
    const [event] = billing().events;
    const { ticketId, data, ticket, actor, at } = event!;
    const { topic, key, value, headers } = outboundRecord('erp', event!);
    expect([topic, key]).toEqual(['ticket.outbound.erp.v1', ticketId]);
    expect(JSON.parse(String(value))).toEqual({ orgId: 'acme', id: `${ticketId}:1`, ticketId, version: 1, type: 'created', at, actor, data, ticket });
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: `${ticketId}:1`,
      ce_type: 'ticket.created.v1',
      ce_source: '/organisations/acme/tickets',
      ce_subject: ticketId,
      ce_time: at,
      ce_orgid: 'acme',
      'content-type': 'application/json',
    });
  });

  it('of every type is what the contract says', () => {
    const { events } = billing().assigned(null).moved('pending', 'Soon').replied().said().refiled('tech-bot').commented('note').deleted().restored();
    for (const event of events) {
      const value = JSON.parse(String(outboundRecord('erp', event).value)) as object;
      expect(outboundValue[event.type].parse(value)).toEqual(value);
    }
  });
});
