import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { commandValue, limits, type DirectorySeed, type TicketCommand } from '#contracts';
import { decide, evolve, initial, type ExistingTicket, type TicketState } from '#domain';
import { demoDirectory } from '../places.js';
import { yearMs } from './calendar.js';
import { seedOrganisations } from './organisations.js';
import { caseId, supportCase } from './support-case.js';

const end = Date.parse('2026-11-18T15:00:00Z');
const directory = JSON.parse(readFileSync(demoDirectory, 'utf8')) as DirectorySeed;
const organisations = seedOrganisations(7, directory);
const acme = organisations[0]!;
const perOrganisation = 400;
const caseOf = (index: number, changes: Partial<Parameters<typeof supportCase>[0]> = {}) => supportCase({ seed: 1, organisation: acme, index, of: perOrganisation, end, ...changes });
const wordsIn = (text: string) => text.split(/\s+/).length;

/** What the write path makes of the commands. */
function played(commands: readonly TicketCommand[]): ExistingTicket {
  let state: TicketState = initial;
  for (const [index, command] of commands.entries()) {
    const fact = decide(command, state, command.at!);
    expect(fact).not.toBeNull();
    const { ticketId, actor, channel } = command;
    state = evolve(state, { ...fact!, ticketId, version: index + 1, at: command.at!, actor, birth: { number: 1, channel } });
  }
  return state as ExistingTicket;
}

/** Everything that is told of a case. */
function textsOf(commands: readonly TicketCommand[]): string[] {
  return commands.flatMap(({ type, data }) => {
    if (type === 'ticket.create.v1') return [data.title, data.description!, ...(data.conversation?.messages ?? []).map(({ content }) => content)];
    if (type === 'ticket.add-comment.v1') return [data.body];
    if (type === 'ticket.append-conversation.v1') return data.messages.map(({ content }) => content);
    return type === 'ticket.change-status.v1' && data.comment !== undefined ? [data.comment] : [];
  });
}

const createOf = ([command]: readonly TicketCommand[]) => (command as Extract<TicketCommand, { type: 'ticket.create.v1' }>).data;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('a made-up support case', () => {
  let cases: TicketCommand[][];
  let states: ExistingTicket[];
  beforeAll(() => {
    cases = organisations.flatMap((organisation) => Array.from({ length: perOrganisation }, (_, index) => caseOf(index, { organisation })));
    states = cases.map(played);
  });

  it('is the same whenever it is asked for', () => expect(caseOf(17)).toStrictEqual(caseOf(17)));

  it('keeps its ids and what happens when it is asked for later', () => {
    const later = (index: number) => caseOf(index, { end: end + 2 * 86_400_000 + 7 * 3_600_000 }).map(({ commandId, type }) => [commandId, type]);
    for (let index = 0; index < perOrganisation; index++) expect(later(index)).toEqual(caseOf(index).map(({ commandId, type }) => [commandId, type]));
  });

  it('is another one, with other ids, for another seed, organisation or index', () => {
    const others = [caseOf(17, { seed: 2 }), caseOf(17, { organisation: organisations[1]! }), caseOf(18)];
    const ids = [caseOf(17), ...others].flatMap((commands) => commands.map(({ commandId }) => commandId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set([caseOf(17), ...others].map((commands) => createOf(commands).description)).size).toBe(4);
  });

  it('consists of commands as the contract has them, nothing about them unparsed', () => {
    for (const command of cases.flat()) {
      const { type, commandId, ...value } = command;
      expect(commandId).toMatch(/^[0-9a-f-]{36}$/);
      expect(commandValue[type].parse(value)).toStrictEqual(value);
    }
  });

  it('is of one ticket, which has the id that is told beforehand', () => {
    expect(caseId({ seed: 1, organisation: acme, index: 17 })).toBe(caseOf(17)[0]!.ticketId);
    for (const commands of cases) expect(new Set(commands.map(({ ticketId, orgId }) => `${orgId}/${ticketId}`)).size).toBe(1);
  });

  it('holds nothing that the ticket’s rules refuse, and nothing that changes nothing', () => expect(states).toHaveLength(cases.length));

  it('happens in order, within the year before its end', () => {
    for (const commands of cases) {
      const times = commands.map(({ at }) => Date.parse(at!));
      expect(times).toEqual([...times].sort((one, other) => one - other));
      expect(times[0]).toBeGreaterThanOrEqual(end - yearMs);
      expect(times.at(-1)).toBeLessThanOrEqual(end);
    }
  });

  it('is older the lower its index', () => {
    const opened = Array.from({ length: perOrganisation }, (_, index) => caseOf(index)[0]!.at!);
    expect(opened).toEqual([...opened].sort());
  });

  it('knows times of its chat before it was opened', () => {
    for (const commands of cases) {
      for (const { at } of createOf(commands).conversation?.messages ?? []) expect(at! <= commands[0]!.at!).toBe(true);
    }
  });

  it('keeps to sizes that people write', () => {
    for (const commands of cases) {
      const { title, description, conversation, tags } = createOf(commands);
      expect([...title].length).toBeLessThanOrEqual(limits.title);
      expect(wordsIn(description!)).toBeLessThanOrEqual(230);
      expect(conversation?.messages.length ?? 2).toBeGreaterThanOrEqual(2);
      expect(conversation?.messages.length ?? 2).toBeLessThanOrEqual(12);
      expect(tags!.length).toBeLessThanOrEqual(limits.tags);
    }
    for (const { ticket, notes } of states) expect(ticket.commentCount + notes).toBeLessThanOrEqual(8);
  });

  it('says what it says in whole sentences: every slot is filled, every choice made', () => {
    const texts = cases.flatMap(textsOf).join('\n');
    expect(texts).not.toMatch(/[{}[\]|]|undefined|NaN/);
    expect(texts).not.toMatch(/ a [AEIOaeio]\w+ (lamp|chair|grinder)/);
  });
});

describe('made-up support cases as a whole', () => {
  const cases = Array.from({ length: 4_000 }, (_, index) => caseOf(index, { of: 4_000 }));
  const words = cases.map((commands) => new Set(textsOf(commands).join(' ').toLowerCase().match(/[\p{L}\p{N}]+/gu)));
  const share = (of: (commands: TicketCommand[]) => boolean) => cases.filter(of).length / cases.length;
  const frequency = new Map<string, number>();
  for (const word of words.flatMap((set) => [...set])) frequency.set(word, (frequency.get(word) ?? 0) + 1);

  it('have about 90 different words each', () => {
    const average = mean(words.map(({ size }) => size));
    expect(average).toBeGreaterThan(80);
    expect(average).toBeLessThan(100);
  });

  it('share some words in every fifth of them, while most words are rare', () => {
    const shares = [...frequency.values()].map((count) => count / cases.length);
    expect(shares.filter((value) => value > 0.15 && value < 0.25).length).toBeGreaterThan(20);
    expect(shares.filter((value) => value > 0.02 && value < 0.08).length).toBeGreaterThan(200);
    expect(shares.filter((value) => value < 0.001).length / shares.length).toBeGreaterThan(0.6);
  });

  it('come with a conversation a third of the time', () => {
    const chats = share((commands) => createOf(commands).conversation !== undefined);
    expect(chats).toBeGreaterThan(0.28);
    expect(chats).toBeLessThan(0.38);
  });

  it('are mostly finished, and every status occurs', () => {
    const count = { open: 0, pending: 0, resolved: 0, closed: 0 };
    for (const commands of cases) count[played(commands).ticket.status]++;
    expect(count.closed / cases.length).toBeGreaterThan(0.75);
    for (const status of ['open', 'pending', 'resolved'] as const) expect(count[status] / cases.length).toBeGreaterThan(0.015);
  });

  it('are written in other scripts too, some per cent of them', () => {
    const foreign = share((commands) => /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u.test(createOf(commands).description!));
    expect(foreign).toBeGreaterThan(0.02);
    expect(foreign).toBeLessThan(0.1);
  });

  it('come in on working days more than at weekends, and more and more over the year', () => {
    const opened = cases.map(([command]) => new Date(command!.at!));
    expect(opened.filter((date) => date.getUTCDay() % 6 === 0).length / opened.length).toBeLessThan(0.2);
    expect(opened.filter((date) => date.getTime() > end - yearMs / 2).length / opened.length).toBeGreaterThan(0.52);
  });

  it('belong to the demo people and their assistants, in one organisation as in the directory', () => {
    const { members, assistants } = directory.organisations[0]!;
    const people = new Set(cases.flat().flatMap(({ actor }) => (actor.type === 'member' ? [actor.id] : [])));
    expect([...people].filter((id) => !members.some((member) => member.id === id))).toEqual([]);
    const ids = new Set(cases.map((commands) => createOf(commands).assistantId));
    expect([...ids].sort()).toEqual([...assistants.map(({ id }) => id), null].sort());
  });
});
