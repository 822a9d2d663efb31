import { createInterface } from 'node:readline/promises';
import { decide, handful, readId, readLetter, Trouble, type Desk, type Filter, type LetterPlace, type Outcome, type Wish } from '#messaging';
import { jsonLine, page, table, whole, type Listed } from './pages.js';
import { printable } from './printable.js';
import { WrongUsage } from './trouble.js';

/** What the command line chose. */
export interface Chosen extends Filter {
  json?: boolean;
  limit?: number;
  value?: boolean;
  yes?: boolean;
}

const say = (text: string) => void process.stderr.write(`${text}\n`);

/** Every action returns whether all went well. */
export async function list(desk: Desk, { json, limit = 100, ...filter }: Chosen): Promise<boolean> {
  let found: Listed[] = [];
  let total = 0;
  const newest = () => found.sort((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0)).slice(-limit);
  await desk.visit(filter, (letter, state) => {
    total++;
    found.push({ ...letter, state });
    if (found.length >= 2 * limit + 100) found = newest(); // however many there are, memory is for those that are shown
  });
  found = newest();
  if (json) for (const letter of found) process.stdout.write(jsonLine(letter));
  else if (total > 0) process.stdout.write(table(found));
  else say('No dead letters.');
  if (total > found.length) say(`The newest ${found.length} of ${total}: --limit shows more.`);
  return true;
}

export async function show(desk: Desk, id: string, { json, value }: Chosen): Promise<boolean> {
  const record = await desk.find(placeOf(id));
  if (record === undefined) throw new Trouble(`There is no letter ${id} (any more): list shows those that there are.`);
  const plain = readLetter(record);
  const decision = desk.ledger.decisions.of(plain);
  const letter = { ...plain, state: desk.ledger.decisions.stateOf(plain) };
  if (value && process.stdout.isTTY) throw new WrongUsage('--value writes bytes that a terminal may obey: send them into a file with > value');
  if (value) process.stdout.write(record.value ?? '');
  else process.stdout.write(json ? jsonLine(whole(record, letter, decision)) : page(record, letter, decision));
  return true;
}

/** Replays or discards the letters with these ids, or those that the filter finds. */
export async function settle(desk: Desk, ids: readonly string[], { wish, yes, json, ...filter }: Chosen & { wish: Wish }): Promise<boolean> {
  const places = ids.length > 0 ? [...new Set(ids)].map(placeOf).sort(inOrder) : await placesOf(desk, filter);
  if (places.length === 0) say('No such dead letters: nothing to do.');
  if (places.length > 1 && !yes) await askFor(places.length, wish);
  const outcomes = await decideAll(desk, places, { wish, tell: json ? tellPrograms : tellPeople });
  if (places.length > 1) say(summary(outcomes, places.length));
  return outcomes.length === places.length && outcomes.every(isWell);
}

function summary(outcomes: readonly Outcome['outcome'][], count: number): string {
  const counts = [...Map.groupBy(outcomes, (outcome) => outcome)].map(([outcome, all]) => `${all.length} ${outcome}`);
  const left = count - outcomes.length;
  return [...counts, ...(left > 0 ? [`${left} not tried`] : [])].join(', ');
}

interface Deciding {
  wish: Wish;
  tell: (outcome: Outcome) => void;
}

/** One by one until Kafka does not answer or Ctrl-C comes; what is claimed is brought to its end first. */
async function decideAll(desk: Desk, places: readonly LetterPlace[], { wish, tell }: Deciding): Promise<Outcome['outcome'][]> {
  const outcomes: Outcome['outcome'][] = [];
  let isStopped = false;
  process.once('SIGINT', () => (isStopped = true));
  for (let at = 0; at < places.length && !isStopped; at += handful) {
    const some = await decide(desk, places.slice(at, at + handful), wish);
    some.forEach(tell);
    outcomes.push(...some.map(({ outcome }) => outcome));
    isStopped ||= outcomes.includes('unknown');
  }
  return outcomes;
}

const isWell = (outcome: Outcome['outcome']) => outcome !== 'refused' && outcome !== 'unknown';

const tellPrograms = (outcome: Outcome) => void process.stdout.write(jsonLine(outcome));

const tellPeople = ({ id, outcome, detail }: Outcome) =>
  void (isWell(outcome) ? process.stdout : process.stderr).write(`${outcome} ${id}${detail && `: ${printable(detail)}`}\n`);

function placeOf(id: string): LetterPlace {
  const place = readId(id);
  if (place === undefined) throw new WrongUsage(`${id} is no letter's id: it is <topic>/<partition>/<offset>, as list shows it.`);
  return place;
}

/** What was written first goes back first. */
const inOrder = (one: LetterPlace, other: LetterPlace) =>
  one.topic === other.topic ? one.partition - other.partition || one.offset - other.offset : one.topic < other.topic ? -1 : 1;

async function placesOf(desk: Desk, filter: Chosen): Promise<LetterPlace[]> {
  const { topic, reason, org, since, state = 'waiting' } = filter;
  if ([topic, reason, org, since].every((one) => one === undefined) && state === 'waiting') {
    throw new WrongUsage('Which ones? Give their ids, or one of --topic, --reason, --org, --since.');
  }
  const places: LetterPlace[] = [];
  await desk.visit(filter, ({ topic: at, partition, offset }) => places.push({ topic: at, partition, offset }));
  return places;
}

/** @throws WrongUsage when nobody is there to ask, Trouble when the answer is no. */
async function askFor(count: number, { state }: Wish): Promise<void> {
  const question = `${state === 'replaying' ? 'Replay' : 'Discard'} ${count} dead letters?`;
  if (!process.stdin.isTTY) throw new WrongUsage(`${question} Say --yes, since there is no terminal to ask on.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Trouble('Nothing was done.');
}
