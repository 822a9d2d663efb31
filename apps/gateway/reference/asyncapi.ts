import { z } from 'zod';
import { commandValue, DeadLetterDecision, deadLetterDecisions, DeadLetterHeaders, deadlineValue, type DirectoryType, directoryValue, EnvelopeHeaders, eventValue, messageValue, noticeValue, resultType, topics, type MessageType } from '#contracts';
import type { TopicSpec } from '#messaging';
import { Components } from './components.js';
import type { Sample } from './examples.js';
import type { Message } from './message.js';
import { inboundChannels, inboundMessages, inboundParts } from './inbound-channels.js';
import { outboundChannels, outboundMessages, outboundParts } from './outbound-channels.js';

const about = `Everything that changes a ticket goes over Kafka. A message is CloudEvents 1.0 in binary mode: what it is about stands in headers, its value is JSON.

**Versions.** A type carries its version. Within a version only optional members appear; anything else is a new type beside the old one. Readers ignore members that they do not know.

**Order and repeats.** The messages of a ticket are in one partition and in order. Any message may come again; events of a ticket are told apart by \`version\`, which rises by one without gaps.

**Dead letters.** A record that can never be handled is set aside, untouched, with headers that say why. Trouble that passes is waited out instead.`;

interface Channel {
  title: string;
  description: string;
  /** What its records' key is. */
  key: string;
  types: readonly string[];
  writers: readonly string[];
  readers: readonly string[];
}

/** Who writes and reads which topic (contract section 1), as far as there are such parts yet. */
const channels: Record<keyof typeof topics, Channel> = {
  commands: {
    title: 'Commands',
    description: 'What somebody wants of a ticket. Rights count as the door knew them, the facts of the ticket as they are when the command is decided.',
    key: 'The ticket id.',
    types: Object.keys(commandValue) as MessageType[],
    writers: ['gateway', 'ticket-command', 'assignment-notification'],
    readers: ['ticket-command'],
  },
  events: {
    title: 'Events',
    description: 'What happened, for ever: one event for every accepted command, each with the whole ticket after it. Internal: never read by an outside system.',
    key: 'The ticket id.',
    types: Object.keys(eventValue) as MessageType[],
    writers: ['ticket-command'],
    readers: ['query-search', 'assignment-notification'],
  },
  results: {
    title: 'Results of commands',
    description: 'The one answer that a command ever gets; a command that comes again gets it again, marked as a duplicate.',
    key: 'The command id.',
    types: [resultType],
    writers: ['ticket-command'],
    readers: ['gateway', 'query-search'],
  },
  deadlines: {
    title: 'Deadlines',
    description: 'What becomes of the deadlines of tickets, for ever. Each message has all deadlines of its ticket as they are after it; the one with the highest `revision` counts, and tells them by itself. What is told of a deadline once has one `ce_id`, however often it comes.',
    key: 'The ticket id.',
    types: Object.keys(deadlineValue) as MessageType[],
    writers: ['assignment-notification'],
    readers: ['query-search', 'gateway'],
  },
  notices: {
    title: 'Notices',
    description: 'What people are told, for those who listen. Whoever does not finds it in the list; it may come again, under its id.',
    key: '`<orgId>/<memberId>`',
    types: Object.keys(noticeValue) as MessageType[],
    writers: ['assignment-notification'],
    readers: ['gateway'],
  },
  directory: {
    title: 'Directory',
    description: 'Members and assistants of organisations, and what outside systems may do. Compacted: the newest record of a key stays. The newest revision wins, whatever the order of arrival.',
    key: '`<orgId>/<kind>/<id>`',
    types: Object.keys(directoryValue) as DirectoryType[],
    writers: ['gateway'],
    readers: ['ticket-command', 'assignment-notification'],
  },
};

/** Not a part's but the operators' own. */
const decisions: Channel = {
  title: 'Decisions on dead letters',
  description: 'What operators replayed and discarded. Compacted, in one partition: of two decisions after the same one the first counts. Written and read by `npm run dead-letters`.',
  key: 'The letter, `<topic>/<partition>/<offset>`.',
  types: ['dead-letter-decision'],
  writers: ['operators'],
  readers: ['operators'],
};

/** The AsyncAPI 3 document: every topic that there is, with key, headers and messages, made of the schemas that producers and consumers parse with. */
export function asyncApiDocument(samples: readonly Sample[], specs: readonly TopicSpec[], version: string) {
  const components = new Components({}, 'draft-7');
  const dead = specs.filter(({ name }) => name.startsWith('dead.'));
  const own = Object.entries(channels).map(([name, channel]) => [name, ownChannel(channel, specOf(specs, topics[name as keyof typeof topics]))] as const);
  const messages: Record<string, Message> = { 'dead-letter': deadLetter(components), 'dead-letter-decision': decision(components), ...inboundMessages(components), ...outboundMessages(components, samples) };
  for (const type of Object.keys(messageValue) as MessageType[]) messages[type] = messageOf(components, type, samples);
  return {
    asyncapi: '3.0.0',
    info: { title: 'Deskstream topics', version, description: about },
    defaultContentType: 'application/json',
    channels: Object.fromEntries<Omit<ReturnType<typeof ownChannel>, 'bindings'> & { bindings?: ReturnType<typeof bindingsOf> }>([...own, ...Object.entries(inboundChannels), ...Object.entries(outboundChannels), ...dead.map((spec) => [spec.name, deadChannel(spec)] as const), ['decisions', ownChannel(decisions, specOf(specs, deadLetterDecisions))] as const]),
    operations: Object.fromEntries<ReturnType<typeof operation>>([...Object.entries(channels).flatMap(([name, channel]) => operationsOf(name, channel)), ...[...inboundParts, ...outboundParts].map(systemOperation), ...dead.map(setAside), ...operationsOf('decisions', decisions)]),
    components: { messages, schemas: components.sorted().schemas },
  };
}

function specOf(specs: readonly TopicSpec[], topic: string): TopicSpec {
  const spec = specs.find(({ name }) => name === topic);
  if (spec === undefined) throw new Error(`there is no topic ${topic} in deploy/topics.yaml`);
  return spec;
}

const messageKey = (type: string) => ({ $ref: `#/components/messages/${type}` });

const ownChannel = ({ title, description, types }: Channel, spec: TopicSpec) => ({
  address: spec.name,
  title,
  description,
  messages: Object.fromEntries(types.map((type) => [type, messageKey(type)])),
  bindings: bindingsOf(spec),
});

function bindingsOf({ name, partitions, replication, config }: TopicSpec) {
  const topicConfiguration = {
    'cleanup.policy': [config['cleanup.policy']],
    ...(config['retention.ms'] !== undefined && { 'retention.ms': Number(config['retention.ms']) }),
    'max.message.bytes': Number(config['max.message.bytes']),
  };
  return { kafka: { topic: name, partitions, replicas: replication, topicConfiguration, bindingVersion: '0.5.0' } };
}

function messageOf(components: Components, type: MessageType, samples: readonly Sample[]): Message {
  const { key, title } = Object.values(channels).find(({ types }) => types.includes(type))!;
  return {
    name: type,
    title: type,
    summary: `Of the topic of ${title.toLowerCase()}.`,
    contentType: 'application/json',
    headers: components.schema(EnvelopeHeaders.extend({ ce_type: z.literal(type) })),
    payload: components.schema(messageValue[type]),
    bindings: { kafka: { key: { type: 'string', description: key }, bindingVersion: '0.5.0' } },
    examples: samples.filter((sample) => sample.type === type).map(({ name, value }) => ({ name, payload: value })),
  };
}

const operationsOf = (name: string, { writers, readers, types }: Channel) => [
  ...writers.map((writer) => [`${writer}.send.${name}`, operation('send', name, { title: `${writer} writes`, types })] as const),
  ...readers.map((reader) => [`${reader}.receive.${name}`, operation('receive', name, { title: `${reader} reads`, types })] as const),
];

const systemOperation = ([channel, part, action, types]: (typeof inboundParts | typeof outboundParts)[number]) =>
  [`${part}.${action}.${channel}`, operation(action, channel, { title: `${part} ${action === 'send' ? 'writes' : 'reads'}`, types })] as const;

const operation = (action: 'send' | 'receive', channel: string, { title, types }: { title: string; types: readonly string[] }) => ({
  action,
  title,
  channel: { $ref: `#/channels/${channel}` },
  messages: types.map((type) => ({ $ref: `#/channels/${channel}/messages/${type}` })),
});

const deadLetter = (components: Components): Message => ({
  name: 'dead-letter',
  title: 'A record that was set aside',
  summary: 'Key, value and headers as they came, and headers that say why.',
  headers: components.schema(DeadLetterHeaders),
  payload: { description: 'The bytes of the record, whatever they are.' },
});

const decision = (components: Components): Message => ({
  name: 'dead-letter-decision',
  title: 'dead-letter-decision',
  summary: 'What an operator made of a dead letter.',
  contentType: 'application/json',
  headers: { type: 'object' },
  payload: components.schema(DeadLetterDecision),
  bindings: { kafka: { key: { type: 'string', description: decisions.key }, bindingVersion: '0.5.0' } },
  examples: [{ name: 'discarded', payload: decisionExample }],
});

const decisionExample: DeadLetterDecision = {
  id: '0b54f6a2-6f0c-4f0e-9a53-3b1f6a1c9d11',
  after: null,
  letter: 'dead.ticket-command.ticket.commands.v1/3/17',
  writtenAt: '1767348245678',
  state: 'discarded',
  at: '2026-01-02T10:04:05.678Z',
  by: 'ada@operations-1',
  reason: 'A load test wrote it.',
};

const deadChannel = (spec: TopicSpec) => {
  const [, service = '', source = ''] = /^dead\.([^.]+)\.(.+)$/.exec(spec.name) ?? [];
  return {
    address: spec.name,
    title: `Dead letters of ${service}`,
    description: `What ${service} gave up of \`${source}\`. The key is the record's own.`,
    messages: { 'dead-letter': messageKey('dead-letter') },
    bindings: bindingsOf(spec),
  };
};

const setAside = ({ name }: TopicSpec) =>
  [`${name.split('.')[1]}.send.${name}`, operation('send', name, { title: `${name.split('.')[1]} sets aside`, types: ['dead-letter'] })] as const;
