import { v5 } from 'uuid';
import type { TicketCommand } from '#contracts';
import { openedAt, ageOf } from './calendar.js';
import { Facts } from './facts.js';
import type { SeedAssistant, SeedOrganisation, Worker } from './organisations.js';
import { customerOf } from './people.js';
import { Course } from './course.js';
import { Random } from './random.js';
import { Story } from './story.js';
import { languages } from './texts/languages.js';
import type { Industry, Subject } from './texts/subject.js';

/** Which case: the same seed, organisation and index make the same case, ids included. */
export interface CaseOptions {
  seed: number;
  organisation: SeedOrganisation;
  /** From 0, the oldest. */
  index: number;
  /** How many cases the organisation has in all: they are spread over the year. */
  of: number;
  /** Until when, ms since the epoch. Times hang on it, what happens does not. */
  end: number;
}

const ticketNamespace = '8a1f0d8e-6c52-4f0e-9b4d-1f2a3c5e7d90';

/** Id of a made-up ticket. */
export const caseId = ({ seed, organisation, index }: Pick<CaseOptions, 'seed' | 'organisation' | 'index'>) => v5(`${seed}/${organisation.id}/${index}`, ticketNamespace);

/**
 * A believable support case of the last year: the commands that make its ticket, in their order, each with the time it happened (`at`). All of
 * them are legal when they are decided in this order. Pure: no clock, no chance but the seed's.
 */
export function supportCase(options: CaseOptions): TicketCommand[] {
  const { seed, organisation, index, of, end } = options;
  const random = new Random(`${seed}/${organisation.id}/${index}`);
  const place = (index + random.next()) / of;
  const openedMs = openedAt(place, end);
  const industry = random.pick(organisation.industries);
  const subject = industry.subjects[random.rank(industry.subjects.length)]!;
  const assistant = assistantFor(subject, organisation, random);
  const worker = assistant.team[random.rank(assistant.team.length)]!;
  const customer = customerOf(organisation.id, customerNumber(options));
  const language = writesIn(customer.language, random);
  const facts = new Facts(random, { customer, industry, agent: firstName(worker.name), mates: matesOf(worker, organisation, industry), at: openedMs, plainDates: language !== undefined });
  const story = new Story({ random, facts, subject, aside: random.pick(industry.subjects), language });
  const course = new Course({ random, facts, story, subject, assistant, worker, customer, organisation, seed, index, ticketId: caseId(options), opened: openedMs, age: ageOf(place), end });
  const earlier = followedUp(options, random);
  return course.run(earlier === undefined ? undefined : caseId({ seed, organisation, index: earlier }));
}

const firstName = (name: string) => name.split(' ', 1)[0]!;

/** Whom the team may ask: each other, or another department. */
const matesOf = (worker: Worker, { workers }: SeedOrganisation, { departments }: Industry): readonly string[] =>
  workers.length > 1 ? [...workers.filter((other) => other !== worker).map(({ name }) => name), ...departments] : departments;

/** Some customers write again and again, most once: half of the cases are of a tenth of them. */
function customerNumber({ seed, organisation, index, of }: CaseOptions): number {
  const random = new Random(`${seed}/${organisation.id}/${index}/customer`);
  return Math.floor(random.next() ** 3 * Math.max(20, of * 0.6));
}

/** One case in fifty goes on with an earlier, closed one. */
function followedUp({ index }: CaseOptions, random: Random): number | undefined {
  return index > 50 && random.chance(0.02) ? Math.floor(index * (0.3 + 0.6 * random.next())) : undefined;
}

/** Who writes in another script does so here more often than not; the others write English most of the time. */
function writesIn(language: string | undefined, random: Random) {
  if (language === undefined) return undefined;
  const isLatin = ['de', 'fr', 'es', 'pt', 'pl', 'tr', 'it'].includes(language);
  return random.chance(isLatin ? 0.12 : 0.6) ? languages[language] : undefined;
}

function assistantFor({ field }: Subject, { assistants }: SeedOrganisation, random: Random): SeedAssistant {
  const fitting = assistants.filter(({ fields }) => fields.includes(field));
  const candidates = fitting.length > 0 && random.chance(0.95) ? fitting : assistants;
  return candidates[random.rank(candidates.length)]!;
}
