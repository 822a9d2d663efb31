import { z } from 'zod';
import { EnvelopeHeaders, outboundTopic, outboundValue, outsideValue, type EventType } from '#contracts';
import type { Components } from './components.js';
import type { Sample } from './examples.js';
import type { Message } from './message.js';

const nameOf = (type: EventType) => `outbound.${type}`;
const types = Object.keys(outboundValue) as EventType[];
const names = types.map(nameOf);

/** The topic on which an outside system that asked for it is told what happens. */
export const outboundChannels = {
  outbound: {
    address: outboundTopic('{system}'),
    title: 'What happens, for an outside system',
    description:
      'Events of the organisations that let the system know, of tickets of the assistants that it may work for and of those that it made, from the time that each organisation chose; notes only where they are granted. The ticket after the event decides. The events of a ticket are in one partition and in order; one may come again, under its `ce_id`, with the same bytes.',
    parameters: { system: { description: 'The outside system, as it is registered.' } },
    messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
  },
};

/** Who writes and reads it: channel, part, and whether it writes. */
export const outboundParts = [
  ['outbound', 'assignment-notification', 'send', names],
  ['outbound', 'outside-system', 'receive', names],
] as const;

/** Its messages, by name. */
export const outboundMessages = (components: Components, samples: readonly Sample[]): Record<string, Message> =>
  Object.fromEntries(
    types.map((type) => {
      const name = nameOf(type);
      const message: Message = {
        name,
        title: name,
        summary: 'What an outside system is told of an event.',
        contentType: 'application/json',
        headers: components.schema(EnvelopeHeaders.omit({ attempt: true, traceparent: true }).extend({ ce_type: z.literal(type) })),
        payload: components.schema(outsideValue[name]!),
        bindings: { kafka: { key: { type: 'string', description: 'The ticket id.' }, bindingVersion: '0.5.0' } },
        examples: samples.filter((sample) => sample.name.startsWith(name)).map(({ name: title, value }) => ({ name: title, payload: value })),
      };
      return [name, message];
    }),
  );
