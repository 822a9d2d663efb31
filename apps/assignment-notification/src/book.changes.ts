import type { FastifyReply } from 'fastify';
import type { ValidationError } from '#contracts';
import { ProblemError } from '#observability';
import { StaleBook, type Book, type Change, type ChangeRequest } from './book.store.js';
import { asking, markRepeat } from './changes.js';

/** What a book holds, and how people call one of them. */
export interface Kind {
  one: string;
  most: number;
}

type Named = { id: string };

/** Rules of an organisation are one document, well below what the store takes, bytes. */
const mostBytes = 4 * 1024 * 1024;

/** A refusal of what no schema can say. */
export const refusal = (...errors: ValidationError[]) => new ProblemError('validation-failed', 'The request is not valid.', { errors: errors.slice(0, 20) });

/** @throws ProblemError where there is no room for one more */
export function added<T extends Named>(rules: readonly T[], rule: T, { one, most }: Kind): Change<T> {
  if (rules.length >= most) throw refusal({ pointer: '', code: 'too_many', message: `the organisation has ${most} ${one === 'policy' ? 'policies' : `${one}s`}: delete some first` });
  return { rules: fitting([...rules, rule]), outcome: { status: 201, body: JSON.stringify(rule) } };
}

/** @throws ProblemError where there is no room for it */
export const replaced = <T extends Named>(rules: readonly T[], rule: T): Change<T> => ({
  rules: fitting(rules.map((one) => (one.id === rule.id ? rule : one))),
  outcome: { status: 200, body: JSON.stringify(rule) },
});

export const without = <T extends Named>(rules: readonly T[], id: string): Change<T> =>
  rules.some((one) => one.id === id) ? { rules: rules.filter((one) => one.id !== id), outcome: { status: 204, body: '' } } : absent;

/** @throws ProblemError where not every one is named */
export function reordered<T extends Named>(rules: readonly T[], ids: readonly string[], { one }: Kind): Change<T> {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const unknown = ids.flatMap((id, i) => (byId.has(id) ? [] : [{ pointer: `/ids/${i}`, code: `unknown_${one}`, message: `must be a ${one} of the organisation` }]));
  if (unknown.length > 0) throw refusal(...unknown);
  if (ids.length < rules.length) throw refusal({ pointer: '/ids', code: 'incomplete', message: `must name every ${one} of the organisation` });
  const items = ids.map((id) => byId.get(id)!);
  return { rules: items, outcome: { status: 200, body: JSON.stringify({ items }) } };
}

/** There is none of the id. */
export const absent: Change<never> = { outcome: { status: 404, body: '' } };

/** All of it; the revision is its `ETag`. @throws ProblemError dependency-unavailable */
export async function readBook<T>(book: Book<T>, orgId: string, reply: FastifyReply): Promise<{ items: T[] }> {
  const { revision, rules } = await asking(() => book.edition(orgId));
  void reply.header('etag', `"${revision}"`);
  return { items: [...rules] };
}

/** Who changes what in whose book. */
export interface BookChange<T> {
  orgId: string;
  wanted: ChangeRequest;
  decide: (rules: readonly T[]) => Change<T>;
  /** Has those hear of it who act by the rules; again in a repeat, since whoever changed them may have died before. */
  then: (body: string) => Promise<void>;
  /** Members that the answer has, but neither the store nor the answer to a repeat. */
  shownOnce?: Readonly<Record<string, string>>;
}

/** Changes a book and answers. @throws ProblemError what `decide` throws, not-found, version-conflict, idempotency-key-reused, dependency-unavailable */
export async function changeBook<T>(book: Book<T>, { one }: Kind, { orgId, wanted, decide, then, shownOnce, reply }: BookChange<T> & { reply: FastifyReply }): Promise<void> {
  const { status, body, hash, isRepeat } = await asking(async () => {
    const changed = await book.change(orgId, wanted, decide).catch((error: unknown) => Promise.reject(error instanceof StaleBook ? stale(error, one) : (error as Error)));
    await then(changed.body);
    return changed;
  });
  if (isRepeat) markRepeat(reply, hash, wanted.hash);
  if (status === 404) throw new ProblemError('not-found', `There is no such ${one}.`, {}, isRepeat ? { 'idempotency-replayed': 'true' } : {});
  if (status === 204) return void reply.code(status).send();
  void reply.code(status).header('content-type', 'application/json; charset=utf-8').send(isRepeat ? body : withMembers(body, shownOnce));
}

const withMembers = (body: string, members: Readonly<Record<string, string>> | undefined) => (members === undefined ? body : JSON.stringify({ ...(JSON.parse(body) as object), ...members }));

const stale = ({ current }: StaleBook, one: string) => new ProblemError('version-conflict', `Another ${one} was changed meanwhile: they are at revision ${current}.`, { current });

/** @throws ProblemError where there is no room for them */
function fitting<T>(rules: readonly T[]): readonly T[] {
  if (Buffer.byteLength(JSON.stringify(rules)) <= mostBytes) return rules;
  throw refusal({ pointer: '', code: 'too_big', message: 'is too much beside the others of the organisation' });
}
