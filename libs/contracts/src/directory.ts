import { z } from 'zod';
import { Availability } from './availability.js';
import { Role } from './principal.js';
import { Producer } from './producer.js';
import { distinct, PersonId, Slug, text, trimmedText } from './text.js';

export const Member = z.object({ id: PersonId, name: text(255), email: z.string(), role: Role });
export type Member = z.infer<typeof Member>;

export const Assistant = z.object({ id: Slug, name: text(255), memberIds: z.array(PersonId) });
export type Assistant = z.infer<typeof Assistant>;

/** Body of `PUT /assistants/{id}`. That the members exist is the door's to check. */
export const AssistantInput = z.strictObject({
  name: trimmedText(255).meta({ description: 'What people call it, and histories.' }),
  memberIds: z.array(PersonId).max(10_000).check(distinct).meta({ description: 'Whose it is: they see its tickets and work on them.', uniqueItems: true }),
});
export type AssistantInput = z.infer<typeof AssistantInput>;

/** A member as services know them; REST shows `availability` on its own. */
export const KnownMember = Member.extend({ availability: Availability.optional() });
export type KnownMember = z.infer<typeof KnownMember>;

const entry = { orgId: Slug, revision: z.number().int().positive(), deleted: z.boolean() };
const MemberEntry = z.object({ ...entry, kind: z.literal('member'), id: PersonId, value: KnownMember });
const AssistantEntry = z.object({ ...entry, kind: z.literal('assistant'), id: Slug, value: Assistant });
const ProducerEntry = z.object({ ...entry, kind: z.literal('producer'), id: Slug, value: Producer });

/** Value of a record on `directory.v1`, key `<orgId>/<kind>/<id>`: the newest revision wins whatever the order of arrival. */
export const DirectoryEntry = z.discriminatedUnion('kind', [MemberEntry, AssistantEntry, ProducerEntry]);
export type DirectoryEntry = z.infer<typeof DirectoryEntry>;

/** Key of an entry on `directory.v1`. */
export const directoryKey = ({ orgId, kind, id }: Pick<DirectoryEntry, 'orgId' | 'kind' | 'id'>) => `${orgId}/${kind}/${id}`;

/** Values of the messages on `directory.v1`, by `ce_type`. What readers of one type do not know comes as another: they pass over it. */
export const directoryValue = {
  'directory.entry.v1': z.discriminatedUnion('kind', [MemberEntry, AssistantEntry]),
  'directory.producer.v1': ProducerEntry,
} as const satisfies Record<string, z.ZodType>;
export type DirectoryType = keyof typeof directoryValue;

/** `ce_type` of an entry on `directory.v1`. */
export const directoryTypeOf = ({ kind }: Pick<DirectoryEntry, 'kind'>): DirectoryType => (kind === 'producer' ? 'directory.producer.v1' : 'directory.entry.v1');

/** File with the first members and assistants of organisations (`DIRECTORY_FILE`). */
export const DirectorySeed = z.strictObject({
  organisations: z.array(
    z.strictObject({
      id: Slug,
      name: text(255).optional(),
      members: z.array(z.strictObject(Member.shape)),
      assistants: z.array(z.strictObject(Assistant.shape)),
    }),
  ),
});
export type DirectorySeed = z.infer<typeof DirectorySeed>;
