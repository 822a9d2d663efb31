import type { DirectorySeed, Principal } from '#contracts';
import { companyName } from './facts.js';
import { somebody } from './people.js';
import { Random } from './random.js';
import { bank } from './texts/bank.js';
import { shop } from './texts/shop.js';
import { software } from './texts/software.js';
import type { Field, Industry } from './texts/subject.js';
import { telecoms } from './texts/telecoms.js';
import { travel } from './texts/travel.js';

/** Somebody of an organisation who works on tickets. */
export type Worker = Principal['actor'] & { type: 'member' };

/** An assistant and the people behind it. */
export interface SeedAssistant {
  id: string;
  name: string;
  /** What it serves. */
  fields: readonly Field[];
  team: readonly Worker[];
}

/** An organisation that cases are made up for. */
export interface SeedOrganisation {
  id: string;
  name: string;
  industries: readonly Industry[];
  workers: readonly Worker[];
  /** Some serve more than others: the first ones. */
  assistants: readonly SeedAssistant[];
}

const industries = [shop, software, telecoms, bank, travel];
const allFields: readonly Field[] = ['billing', 'technical', 'sales', 'service'];
/** What an assistant serves, told by the beginning of its id. */
const fieldsBy: readonly (readonly [string, readonly Field[]])[] = [
  ['bill', ['billing', 'sales']],
  ['tech', ['technical', 'service']],
];
const demoIndustries: Readonly<Record<string, readonly Industry[]>> = { acme: [shop, software], globex: [software] };
const assistantNames = 'Order Billing Help Contract Account Delivery Claims Product Booking Care Returns Partner Login Payment Service Quality Sales Onboarding Device Network'.split(' ');

/**
 * The organisations of a seed: those of a directory first (the demo people see their tickets), then made-up ones, `org-0003` and so on.
 * @param assistants how many a made-up organisation has; 2 to 8 when absent
 */
export function seedOrganisations(count: number, directory: DirectorySeed, assistants?: number): SeedOrganisation[] {
  const known = directory.organisations.map(ofDirectory);
  return Array.from({ length: count }, (_, index) => known[index] ?? madeUp(index + 1, assistants));
}

function ofDirectory({ id, name, members, assistants }: DirectorySeed['organisations'][number]): SeedOrganisation {
  const workers = members.map((member): Worker => ({ type: 'member', id: member.id, name: member.name }));
  const teamOf = (memberIds: readonly string[]) => {
    const team = workers.filter((worker) => memberIds.includes(worker.id));
    return team.length > 0 ? team : workers;
  };
  return {
    id,
    name: name ?? id,
    industries: demoIndustries[id] ?? [shop],
    workers,
    assistants: assistants.map((one) => ({ id: one.id, name: one.name, fields: fieldsBy.find(([start]) => one.id.startsWith(start))?.[1] ?? allFields, team: teamOf(one.memberIds) })),
  };
}

/** An organisation of this number that exists nowhere else. */
export function madeUp(number: number, assistants?: number): SeedOrganisation {
  const id = `org-${String(number).padStart(4, '0')}`;
  const random = new Random(id);
  const name = companyName(random);
  const workers = Array.from({ length: random.whole(4, 24) }, (_, index): Worker => {
    const person = somebody(random);
    return { type: 'member', id: `${person.latin}.${index + 1}`, name: person.name };
  });
  const count = assistants ?? random.whole(2, 8);
  return { id, name, industries: [industries[(number - 1) % industries.length]!], workers, assistants: Array.from({ length: count }, (_, index) => assistant({ index: number * 3 + index, start: number * 3 }, workers, random)) };
}

function assistant({ index, start }: { index: number; start: number }, workers: readonly Worker[], random: Random): SeedAssistant {
  const name = assistantNames[index % assistantNames.length]!;
  const turn = Math.floor((index - start) / assistantNames.length);
  const size = random.whole(1, Math.min(6, workers.length));
  const from = random.whole(0, workers.length - 1);
  return {
    id: `${name.toLowerCase()}-bot${turn > 0 ? `-${turn + 1}` : ''}`,
    name: `${name} assistant${turn > 0 ? ` ${turn + 1}` : ''}`,
    fields: allFields,
    team: Array.from({ length: size }, (_, place) => workers[(from + place) % workers.length]!),
  };
}
