import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { Actor } from '#contracts';
import { type Database, guarded, putNewer, type Versioned } from '#persistence';
import type { Collections } from '../collections.js';
import { longestMs } from '../asking.js';
import { COLLECTIONS, STORE } from '../store.js';
import type { StoredCell } from './cell.projection.js';
import { daysOf, type Periods } from './range.js';

/** Everything of an organisation; no assistant can be called so. Other scopes are assistants' ids and `personScope`s. */
export const everything = '*';

/**
 * What is assigned to somebody or was created by them, divided by assistant: whoever sees the tickets of some assistants sees of their own only
 * the rest in addition. People are called anything up to 255 characters; keys of indexes must be short and hold no slash.
 */
export const personScope = ({ type, id }: Pick<Actor, 'type' | 'id'>) => `~${createHash('sha256').update(`${type}:${id}`).digest('base64url').slice(0, 22)}`;
const isPerson = (scope: string) => scope.startsWith('~');

/** The cell of a scope and a period. */
export interface CellDocument extends Partial<StoredCell>, Versioned {
  /** organisation/scope/period: the cells of a scope lie side by side in the order of time. */
  _id: string;
  orgId: string;
  scope: string;
  /** People's cells are many, and each is read by one person only. */
  isPerson: boolean;
  /** A day (`2026-01-31`) or a month (`2026-01`). */
  period: string;
  /** When the tickets were read: a count that began earlier never replaces one that began later. */
  version: number;
  /** Of a day: changes with what was counted. */
  digest?: string;
  /** Of a month: the digests of the days that are in it, as JSON text. */
  digests?: string;
}

/** Cells of days, or of months: these are sums of those, so that years are read as quickly as weeks. */
export type Kind = 'days' | 'months';
export type Part = keyof StoredCell | 'digest' | 'digests';

/** Cells that are read, and what of them. */
export interface Wanted {
  orgId: string;
  scopes: readonly string[];
  periods: Periods;
  parts: readonly Part[];
}

/** What was counted of one scope and period. */
type Counts = Pick<CellDocument, Part>;

/** What is counted anew of one period: every scope that has tickets in it. */
export interface Counted {
  orgId: string;
  period: string;
  version: number;
  cells: ReadonlyMap<string, Counts>;
}

/** Scopes that a query names; more of them are picked from among all of the organisation's. */
const mostNamed = 100;

export const digestOf = ({ body, resolved }: StoredCell) => createHash('sha1').update(body).update('\n').update(resolved).digest('base64url').slice(0, 16);

/** A moment as a version: two counts never begin with the same one. */
export const versionNow = () => Date.now() * 1_000 + Math.floor(Math.random() * 1_000);

/** Keeps what is counted. */
@Injectable()
export class Cells {
  private readonly collections: Record<Kind, mongoose.mongo.Collection<CellDocument>>;

  constructor(@Inject(STORE) { db }: Database, @Inject(COLLECTIONS) collections: Collections) {
    this.collections = { days: db.collection(collections.statsDays), months: db.collection(collections.statsMonths) };
  }

  /** Cells of these scopes and periods, with these parts of them. */
  async read(kind: Kind, { orgId, scopes, periods, parts }: Wanted): Promise<CellDocument[]> {
    if (periods.last < periods.first) return [];
    const projection = { scope: 1, period: 1, ...Object.fromEntries(parts.map((part) => [part, 1])) };
    const found = (filter: object, hint: string) => this.collections[kind].find(filter, { projection, hint, maxTimeMS: longestMs }).toArray();
    const ofScope = (scope: string) => found({ _id: { $gte: cellId(orgId, scope, periods.first), $lte: cellId(orgId, scope, periods.last) } }, '_id_');
    const [people, others] = [scopes.filter(isPerson), scopes.filter((scope) => !isPerson(scope))];
    const several = async () => {
      const named = others.length <= mostNamed && { scope: { $in: others } };
      const all = await found({ orgId, isPerson: false, period: { $gte: periods.first, $lte: periods.last }, ...named }, 'byPeriodAndScope');
      const wanted = new Set(others);
      return all.filter(({ scope }) => wanted.has(scope));
    };
    return (await Promise.all([...people.map(ofScope), ...(others.length > 1 ? [several()] : others.map(ofScope))])).flat();
  }

  /** Digests of the days in the months of all scopes that have one. @throws StoreFault */
  async digestsIn(orgId: string, month: string): Promise<Map<string, Record<string, string>>> {
    const found = await guarded(() => this.collections.months.find({ orgId, isPerson: anybody, period: month }, { projection: { scope: 1, digests: 1 }, hint: 'byPeriodAndScope' }).toArray());
    return new Map(found.map(({ scope, digests = '{}' }) => [scope, JSON.parse(digests) as Record<string, string>]));
  }

  /** Digests of these days of all scopes that have one. @throws StoreFault */
  async digestsOf(orgId: string, days: readonly string[]): Promise<Map<string, Record<string, string>>> {
    const digests = new Map<string, Record<string, string>>();
    for (const day of days) {
      const found = await guarded(() => this.collections.days.find({ orgId, isPerson: anybody, period: day }, { projection: { scope: 1, digest: 1 }, hint: 'byPeriodAndScope' }).toArray());
      for (const { scope, digest = '' } of found) digests.set(scope, { ...digests.get(scope), [day]: digest });
    }
    return digests;
  }

  /** The days of a month with everything that its sum is made of. @throws StoreFault */
  days(orgId: string, scope: string, month: string): Promise<CellDocument[]> {
    return guarded(() => this.read('days', { orgId, scopes: [scope], periods: daysOf(month), parts: ['body', 'resolved', 'digest'] }));
  }

  /**
   * Stores what was counted of a period. Scopes that had tickets in it and have none now get what `none` says.
   * @returns whether all of it stands: false when a count that began later was there first
   * @throws StoreFault
   */
  async put(kind: Kind, counted: Counted, none?: Counts): Promise<boolean> {
    const { orgId, period, version, cells } = counted;
    const known = await this.versions(kind, orgId, period);
    const emptied = none ? [...known.keys()].filter((scope) => !cells.has(scope)).map((scope) => [scope, none] as const) : [];
    const documents = [...cells, ...emptied].map(([scope, cell]) => ({ _id: cellId(orgId, scope, period), orgId, scope, isPerson: isPerson(scope), period, version, ...cell }));
    await putNewer(this.collections[kind], documents.map((document) => ({ document, isNew: !known.has(document.scope) })));
    const stored = await this.versions(kind, orgId, period);
    return documents.every(({ scope }) => stored.get(scope) === version);
  }

  private async versions(kind: Kind, orgId: string, period: string): Promise<Map<string, number>> {
    const found = await guarded(() => this.collections[kind].find({ orgId, isPerson: anybody, period }, { projection: { scope: 1, version: 1 }, hint: 'byPeriodAndScope' }).toArray());
    return new Map(found.map(({ scope, version }) => [scope, version]));
  }
}

const anybody = { $in: [false, true] };
const cellId = (orgId: string, scope: string, period: string) => `${orgId}/${scope}/${period}`;
