import type { JsonSchema } from '#contracts';
import type { asyncApiDocument } from './asyncapi.js';
import type { Message } from './message.js';
import { escaped, inline, pageOf, worded } from './page.js';

type Document = ReturnType<typeof asyncApiDocument>;
type Channel = Document['channels'][string];

/** The AsyncAPI document as a page for people, without any script. */
export function topicsPage(document: Document): string {
  const { info, channels } = document;
  const parts = [`<h1>${escaped(info.title)}</h1>`, worded(info.description), contents(channels), ...Object.entries(channels).map(([name, channel]) => section(document, name, channel))];
  return pageOf('topics', parts);
}

const contents = (channels: Document['channels']) =>
  `<ul>${Object.entries(channels)
    .map(([name, { address, title }]) => `<li><a href="#${escaped(name)}"><code>${escaped(address)}</code></a> ${escaped(title)}</li>`)
    .join('')}</ul>`;

function section(document: Document, name: string, { address, description, bindings, messages }: Channel): string {
  const ids = Object.keys(messages);
  const all = ids.map((id) => [id, document.components.messages[id]!] as const);
  const facts = [...handlers(document, name), ...keyOf(all[0]![1]), ...kept(bindings)];
  return `<h2 id="${escaped(name)}"><code>${escaped(address)}</code></h2>
${worded(description)}
<table>${facts.map(([fact, value]) => `<tr><th>${fact}</th><td>${value}</td></tr>`).join('')}</table>
<details><summary>Headers</summary>${members(document, all[0]![1].headers)}</details>
${all.map(([id, message]) => messageOf(document, id, message)).join('\n')}`;
}

function handlers({ operations }: Document, name: string): [string, string][] {
  const of = (action: string) =>
    Object.entries(operations)
      .filter(([, one]) => one.action === action && one.channel.$ref === `#/channels/${name}`)
      .map(([id]) => escaped(id.split('.')[0]!));
  return [['Written by', of('send')] as const, ['Read by', of('receive')] as const].flatMap(([fact, who]) => (who.length > 0 ? [[fact, who.join(', ')]] : []));
}

const keyOf = ({ bindings }: Message): [string, string][] => (bindings ? [['Key', inline(bindings.kafka.key.description)]] : []);

const [hourMs, dayMs] = [3_600_000, 86_400_000];

const spanOf = (ms: number) => (ms % dayMs === 0 ? counted(ms / dayMs, 'day') : counted(ms / hourMs, 'hour'));
const counted = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`;

function kept(bindings: Channel['bindings']): [string, string][] {
  if (bindings === undefined) return [];
  const { partitions, topicConfiguration: config } = bindings.kafka;
  const retention = config['retention.ms'];
  const time = retention === undefined ? 'the newest record of each key' : retention < 0 ? 'for ever' : spanOf(retention);
  return [['Kept', time], ['Partitions', String(partitions)]];
}

const messageOf = (document: Document, id: string, { payload, examples = [], title }: Message) => `<details id="${escaped(id)}">
<summary><code>${escaped(title)}</code></summary>
${members(document, payload)}
${examples.map(({ name, payload: example }) => `<details><summary class="quiet">Example <code>${escaped(name)}</code></summary><pre>${escaped(JSON.stringify(example, null, 2))}</pre></details>`).join('\n')}
</details>`;

/** A table of an object's members; named shapes unfold. */
function members(document: Document, given: JsonSchema): string {
  const schema = followed(document, given);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (schema.properties === undefined && alternatives) return (alternatives as JsonSchema[]).map((one) => members(document, one)).join('<p class="quiet">or</p>');
  if (schema.properties === undefined) return `<p class="quiet">${inline(schema.description ?? typeOf(document, schema))}</p>`;
  const rows = Object.entries(schema.properties as Record<string, JsonSchema>).map(([name, member]) => row(document, { name, member, isRequired: schema.required?.includes(name) === true }));
  return `<table>${rows.join('')}</table>`;
}

function row(document: Document, { name, member, isRequired }: { name: string; member: JsonSchema; isRequired: boolean }): string {
  const inner = inside(document, member);
  const about = [member.description === undefined ? '' : inline(member.description), inner === '' ? '' : `<details><summary class="quiet">members</summary>${inner}</details>`];
  return `<tr><td><code>${escaped(name)}</code>${isRequired ? '' : ' <span class="quiet">optional</span>'}</td><td>${escaped(typeOf(document, member))}</td><td>${about.join('')}</td></tr>`;
}

/** Members of an object that a member is, or holds; a ticket is told once, under its own name. */
function inside(document: Document, member: JsonSchema): string {
  const schema = followed(document, member);
  const held = schema.type === 'array' ? followed(document, schema.items as JsonSchema) : (withoutNull(schema) ?? schema);
  const shape = followed(document, held);
  return shape.properties === undefined ? '' : members(document, shape);
}

function followed(document: Document, schema: JsonSchema): JsonSchema {
  const pointer = schema.$ref ?? (schema.allOf as JsonSchema[] | undefined)?.[0]?.$ref;
  const name = /^#\/components\/schemas\/(.+)$/.exec(pointer ?? '')?.[1];
  return name === undefined ? schema : document.components.schemas[name]!;
}

/** What something is beside null. */
function withoutNull({ anyOf }: JsonSchema): JsonSchema | undefined {
  const others = (anyOf as JsonSchema[] | undefined)?.filter(({ type }) => type !== 'null');
  return others?.length === 1 ? others[0] : undefined;
}

function typeOf(document: Document, schema: JsonSchema): string {
  const name = /([^/]+)$/.exec(schema.$ref ?? '')?.[1];
  const shape = followed(document, schema);
  if (shape.enum) return shape.enum.map((one) => JSON.stringify(one)).join(' | ');
  // Named shapes may hold themselves.
  if (name !== undefined) return name;
  if (shape.anyOf) return (shape.anyOf as JsonSchema[]).map((one) => typeOf(document, one)).join(' | ');
  return shape.type === 'array' ? `${typeOf(document, shape.items as JsonSchema)}[]` : plainType(shape);
}

function plainType(shape: JsonSchema): string {
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  return shape.format ?? [shape.type ?? 'any'].flat().join(' | ');
}
