import { isDeepStrictEqual } from 'node:util';
import { limits, type CustomFields, type DetailsPatch, type Requester, type Ticket } from '#contracts';
import { invalid } from './rejection.js';

/** The fields of a ticket that `update-details` may change. */
export type Details = Pick<Ticket, 'title' | 'description' | 'priority' | 'tags' | 'requester' | 'customFields' | 'assistantId'>;
type Changes = Record<string, { from: never; to: never }>;

/** The details after a merge-patch (RFC 7396): what is absent stays, null empties. */
export function patched(ticket: Details, patch: DetailsPatch): Details {
  const { title, description, priority, tags, requester, customFields, assistantId } = patch;
  return {
    title: kept(title, ticket.title),
    description: kept(description, ticket.description) ?? '',
    priority: kept(priority, ticket.priority),
    tags: kept(tags, ticket.tags) ?? [],
    requester: requester === undefined ? ticket.requester : mergedRequester(ticket.requester, requester),
    customFields: customFields === undefined ? ticket.customFields : mergedFields(ticket.customFields, customFields),
    assistantId: kept(assistantId, ticket.assistantId),
  };
}

const kept = <T>(patch: T | undefined, now: T): T => (patch === undefined ? now : patch);

/** What differs, field by field; of the custom fields only the keys that changed. */
export function changesBetween(from: Details, to: Details): Changes {
  const { customFields, ...others } = to;
  const changed = (Object.keys(others) as (keyof typeof others)[]).filter((field) => !isDeepStrictEqual(from[field], to[field]));
  const fields = fieldChanges(from.customFields, customFields);
  return {
    ...Object.fromEntries(changed.map((field) => [field, { from: from[field], to: to[field] }])),
    ...(fields && { customFields: fields }),
  } as Changes;
}

function mergedRequester(now: Ticket['requester'], patch: NonNullable<DetailsPatch['requester']> | null): Requester | null {
  if (patch === null) return null;
  const merged = Object.fromEntries(Object.entries({ ...now, ...patch }).filter(([, value]) => value != null));
  return Object.keys(merged).length === 0 ? null : merged;
}

function mergedFields(now: CustomFields, patch: NonNullable<DetailsPatch['customFields']> | null): CustomFields {
  if (patch === null) return {};
  const merged = Object.fromEntries(Object.entries({ ...now, ...patch }).filter(([, value]) => value !== null)) as CustomFields;
  if (Object.keys(merged).length > limits.customFields) {
    const message = `must have at most ${limits.customFields} fields`;
    throw invalid(`A ticket has at most ${limits.customFields} custom fields.`, { pointer: '/customFields', code: 'too_big', message });
  }
  return merged;
}

function fieldChanges(from: CustomFields, to: CustomFields): { from: CustomFields; to: CustomFields } | null {
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((key) => Object.hasOwn(from, key) !== Object.hasOwn(to, key) || from[key] !== to[key]);
  const pick = (fields: CustomFields) => Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(fields, key) ? [[key, fields[key]!]] : [])));
  return keys.length === 0 ? null : { from: pick(from), to: pick(to) };
}
