import type { Actor, Assignee, Priority, Status, Ticket } from '#contracts';
import { binOf } from './durations.projection.js';
import { titleWords } from './title-words.js';

/** What statistics know of a ticket. Times in ms since the epoch. */
export interface Facts {
  status: Status;
  priority: Priority;
  assistantId: string | null;
  assignee: Assignee | null;
  createdBy: Pick<Actor, 'type' | 'id'>;
  tags: string[];
  title: string;
  createdAt: number;
  firstRepliedAt: number | null;
  resolvedAt: number | null;
}

/** What is counted: numbers of tickets by something of theirs. */
const sections = ['status', 'priority', 'assistant', 'assignee', 'tag', 'openTag', 'openWord', 'firstReply', 'resolution', 'created', 'resolved'] as const;
export type Section = (typeof sections)[number];
type Counts = Map<string, number>;
type Named = [createdAt: number, name: string];

/**
 * Numbers of some tickets: those of a day, a month or an answer. Counting tickets one by one or adding up the cells of their parts comes to the same.
 * Assignees are counted by `type:id`, durations by their bins, `created` and `resolved` by day.
 */
export interface Cell extends Record<Section, Counts> {
  /** Names of assignees, as the ticket created last tells them, and when that was. */
  names: Map<string, Named>;
  /** When the tickets were resolved, ms since the epoch; left out where cells are added up. */
  resolvedAt: number[];
}

/** What callers make up may be anything, and everything else once: so many of it are kept, those that are most. */
export const mostKept = 5_000;
const madeUp = ['tag', 'openTag', 'openWord'] as const;

export const emptyCell = (): Cell => ({ ...(Object.fromEntries(sections.map((section) => [section, new Map()])) as Record<Section, Counts>), names: new Map(), resolvedAt: [] });

/** @param ticket JSON text as views keep it */
export function factsOf({ ticket }: { ticket: string }): Facts {
  const { createdAt, firstRepliedAt, resolvedAt, status, priority, assistantId, assignee, createdBy, tags, title } = JSON.parse(ticket) as Ticket;
  const times = { createdAt: Date.parse(createdAt), firstRepliedAt: msOf(firstRepliedAt), resolvedAt: msOf(resolvedAt) };
  return { status, priority, assistantId, assignee, createdBy, tags, title, ...times };
}

const msOf = (at: string | null) => (at === null ? null : Date.parse(at));

/** Day (UTC) of a moment. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Counts a ticket with everything it says but when it was resolved. */
export function addCreated(cell: Cell, facts: Facts): void {
  const { status, priority, assistantId, assignee, tags, createdAt, firstRepliedAt, resolvedAt } = facts;
  count(cell.status, status);
  count(cell.priority, priority);
  if (assistantId !== null) count(cell.assistant, assistantId);
  if (assignee !== null) addAssignee(cell, assignee, createdAt);
  for (const tag of new Set(tags)) count(cell.tag, tag);
  if (firstRepliedAt !== null) count(cell.firstReply, binOf(firstRepliedAt - createdAt));
  if (resolvedAt !== null) count(cell.resolution, binOf(resolvedAt - createdAt));
  count(cell.created, dayOf(createdAt));
  if (status === 'open' || status === 'pending') addOpen(cell, facts);
  curb(cell, 4 * mostKept);
}

/** Counts a ticket by the day it was resolved on. */
export function addResolved(cell: Cell, resolvedAt: number): void {
  count(cell.resolved, dayOf(resolvedAt));
  cell.resolvedAt.push(resolvedAt);
}

function addAssignee({ assignee, names }: Cell, { type, id, name }: Assignee, createdAt: number) {
  const who = `${type}:${id}`;
  count(assignee, who);
  addName(names, who, [createdAt, name]);
}

/** Of tickets created at once, the name that comes first in the alphabet: so that it is no matter which comes first. */
function addName(names: Cell['names'], who: string, [at, name]: Named) {
  const [knownAt, known] = names.get(who) ?? [-Infinity, ''];
  if (at > knownAt || (at === knownAt && name < known)) names.set(who, [at, name]);
}

function addOpen(cell: Cell, { tags, title }: Facts) {
  for (const tag of new Set(tags)) count(cell.openTag, tag);
  for (const word of titleWords(title)) count(cell.openWord, word);
}

const count = (counts: Counts, key: string, number = 1) => void counts.set(key, (counts.get(key) ?? 0) + number);

/** Forgets what is least of what callers made up, once there is too much of it. */
function curb(cell: Cell, most: number) {
  for (const section of madeUp) if (cell[section].size > most) cell[section] = new Map(largest(cell[section], mostKept));
}

/** The largest numbers first; equal ones by their names. */
export const largest = (counts: ReadonlyMap<string, number>, most: number): [string, number][] =>
  [...counts].sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1)).slice(0, most);

/** Cells by the assistants of their tickets, `none` for those without one: where these have to be told apart; else one cell called `all`. */
export type Parts = Map<string, Cell>;
export const [all, none] = ['*', ''] as const;

/** The cell of a part, made when it is the first of it. */
export function partOf(parts: Parts, name: string): Cell {
  const known = parts.get(name);
  if (known) return known;
  const cell = emptyCell();
  parts.set(name, cell);
  return cell;
}

/** Cells as texts, divided by what is read together: a tenth of what documents of numbers would be. */
export interface StoredCell {
  /** Everything about the tickets created. */
  body: string;
  /** How many were resolved on which day. */
  resolved: string;
  /** When they were. */
  instants: string;
}

type Numbers = Record<string, number>;
type Body = Partial<Record<Exclude<Section, 'resolved'>, Numbers> & { names: Record<string, Named> }>;
/** Where what is stored of a part is to be added; undefined where it is not wanted. */
export type Place = (part: string) => Cell | undefined;

/** The same tickets make the same texts, in whatever order they came. What is empty is left out. */
export function storedCell(parts: Parts): StoredCell {
  for (const cell of parts.values()) curb(cell, mostKept);
  return {
    body: text(parts, ({ resolved: _, resolvedAt: __, ...body }) => body),
    resolved: text(parts, ({ resolved }) => resolved),
    instants: text(parts, ({ resolvedAt }) => [...resolvedAt].sort((one, other) => one - other)),
  };
}

const text = (parts: Parts, pick: (cell: Cell) => unknown) =>
  parts.size === 0 ? '{}' : JSON.stringify(new Map([...parts].map(([part, cell]) => [part, pick(cell)])), (_, value: unknown) => (value instanceof Map ? inOrder(value as Map<string, unknown>) : value));

/** Undefined for nothing. */
function inOrder(map: Map<string, unknown>): object | undefined {
  return map.size === 0 ? undefined : Object.fromEntries([...map].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Adds stored cells' tickets. */
export function addBody(stored: string | undefined, place: Place): void {
  for (const [part, { names = {}, ...body }] of partsIn<Body>(stored)) {
    const cell = place(part);
    if (!cell) continue;
    for (const [section, numbers] of Object.entries(body)) addNumbers(cell[section as Section], numbers);
    for (const [who, named] of Object.entries(names)) addName(cell.names, who, named);
    curb(cell, 4 * mostKept);
  }
}

/** Adds how many of stored cells' tickets were resolved on which day. */
export function addResolvedDays(stored: string | undefined, place: Place): void {
  for (const [part, days] of partsIn<Numbers>(stored)) {
    const cell = place(part);
    if (cell) addNumbers(cell.resolved, days);
  }
}

/** When stored cells' tickets were resolved. */
export const instantsIn = (stored: string | undefined, isWanted: (part: string) => boolean): number[] => partsIn<number[]>(stored).flatMap(([part, instants]) => (isWanted(part) ? instants : []));

const partsIn = <T>(stored: string | undefined) => (stored === undefined ? [] : Object.entries(JSON.parse(stored) as Record<string, T>));

function addNumbers(counts: Counts, numbers: Numbers) {
  for (const key in numbers) count(counts, key, numbers[key]);
}
