import { z } from 'zod';
import { deadLetterTopic, EnvelopeHeaders, inboundResultsTopic, inboundTopic, outsideValue, resultType, type InboundResult } from '#contracts';
import type { Components } from './components.js';
import type { Message } from './message.js';

const parameters = { system: { description: 'The outside system, as it is registered.' } };
const messageKey = (name: string) => ({ $ref: `#/components/messages/${name}` });
const resultName = 'inbound-result.v1';
const recordNames = Object.keys(outsideValue).filter((name) => name !== resultName);

const channel = (address: string, title: string, { description, names }: { description: string; names: readonly string[] }) => ({
  address,
  title,
  description,
  parameters,
  messages: Object.fromEntries(names.map((name) => [name, messageKey(name)])),
});

/** The topics of every outside system: two of its own, and one that only operators read. */
export const inboundChannels = {
  inbound: channel(inboundTopic('{system}'), 'Records of an outside system', {
    description:
      'What a registered system wants of tickets, one topic for each system. CloudEvents in binary or structured mode, any key, any partitioner, any codec. Records of a ticket are worked off in order where they are in one partition. A repeated `ce_id` changes nothing.',
    names: recordNames,
  }),
  inboundResults: channel(inboundResultsTopic('{system}'), 'What an outside system is told', {
    description: 'A result for every record with a readable `ce_id`, at least once; a record that was set aside has the problem `/problems/<reason>`.',
    names: [resultName],
  }),
  inboundDead: channel(deadLetterTopic('ticket-command', inboundTopic('{system}')), 'Dead letters of an outside system', {
    description: "What ticket-command gave up of a system's records. The key is the record's own. The system may not read it: it is told in its results.",
    names: ['dead-letter'],
  }),
};

/** Who writes and reads them: channel, part, and whether it writes. */
export const inboundParts = [
  ['inbound', 'outside-system', 'send', recordNames],
  ['inbound', 'ticket-command', 'receive', recordNames],
  ['inboundResults', 'ticket-command', 'send', [resultName]],
  ['inboundResults', 'outside-system', 'receive', [resultName]],
  ['inboundDead', 'ticket-command', 'send', ['dead-letter']],
] as const;

/** Messages of these topics, by name. */
export function inboundMessages(components: Components): Record<string, Message> {
  const headers = EnvelopeHeaders.omit({ attempt: true, 'content-type': true }).partial({ ce_specversion: true, ce_source: true, ce_subject: true, ce_time: true, ce_orgid: true });
  const records = recordNames.map((name): [string, Message] => {
    const type = name.slice('inbound.'.length);
    return [name, { ...common(name, components), summary: 'A record of an outside system.', headers: components.schema(headers.extend({ ce_type: z.literal(type) })), bindings: keyed('Any.') }];
  });
  const told: Message = {
    ...common(resultName, components),
    summary: 'What became of a record.',
    headers: components.schema(EnvelopeHeaders.partial({ ce_subject: true, ce_orgid: true }).extend({ ce_type: z.literal(resultType) })),
    bindings: keyed('The `ce_id` of the record.'),
  };
  return Object.fromEntries([...records, [resultName, told]]);
}

const common = (name: string, components: Components) => ({
  name,
  title: name,
  contentType: 'application/json',
  payload: components.schema(outsideValue[name]!),
  examples: (inboundExamples[name] ?? []).map((payload, index) => ({ name: index === 0 ? name : `${name}-${index + 1}`, payload })),
});

const keyed = (description: string) => ({ kafka: { key: { type: 'string' as const, description }, bindingVersion: '0.5.0' } });

const place = { orgId: 'acme', externalId: 'order-4711' };
const ticketId = '0196f0a0-0000-7000-8000-000000000001';
const origin = { system: 'erp', id: 'change-17', topic: 'ticket.inbound.erp.v1', partition: 3, offset: '17' };
const actor = { type: 'system' as const, id: 'erp', name: 'ERP' };
const setAside: InboundResult = {
  actor,
  outcome: 'rejected',
  problem: { type: '/problems/producer-not-allowed', title: 'The record was set aside', status: 422, detail: 'acme does not let this system delete' },
  origin,
};

const inboundExamples: Readonly<Record<string, readonly unknown[]>> = {
  'inbound.ticket.create.v1': [
    {
      ...place,
      data: {
        title: 'Order 4711 was not paid',
        description: 'The second reminder is overdue.',
        priority: 'high',
        assistantId: 'billing-bot',
        requester: { id: 'c-1', name: 'Rita', email: 'rita@example.org' },
        tags: ['order'],
        customFields: { order: 4711 },
        assignee: { type: 'member', id: 'grace' },
      },
    },
  ],
  'inbound.ticket.change-status.v1': [{ ...place, expectedVersion: 3, data: { to: 'pending', comment: 'The customer pays in rates.' } }],
  'inbound.ticket.add-comment.v1': [{ orgId: 'acme', ticketId, data: { kind: 'comment', body: 'The order was paid.' } }],
  'inbound.ticket.assign.v1': [{ ...place, data: { to: { type: 'member', id: 'grace' }, ifAssignee: null } }],
  'inbound.ticket.update-details.v1': [{ ...place, data: { priority: 'low', customFields: { order: null } } }],
  'inbound.ticket.append-conversation.v1': [{ ...place, data: { messages: [{ role: 'user', content: 'I paid yesterday.', at: '2026-01-02T10:04:05.000Z' }] } }],
  'inbound.ticket.record-tool-call.v1': [{ ...place, data: { tool: 'lookup-order', arguments: { order: 4711 }, status: 'ok', result: { isPaid: true }, durationMs: 12 } }],
  'inbound.ticket.report-reply-delivery.v1': [{ orgId: 'acme', ticketId, data: { commentId: '0196f0a0-0000-7000-8000-0000000000c1', state: 'delivered', channel: 'email' } }],
  'inbound.ticket.delete.v1': [{ ...place, data: { reason: 'The order was made by mistake.' } }],
  'inbound.ticket.restore.v1': [{ ...place, data: {} }],
  [resultName]: [setAside, { ...setAside, commandId: '57731934-65a3-57c3-a2b1-11aea136a9dd', orgId: 'acme', ticketId, payloadHash: 'a3f1', problem: { type: '/problems/not-found', title: 'Not found', status: 404, detail: 'There is no such ticket.' } }],
};
