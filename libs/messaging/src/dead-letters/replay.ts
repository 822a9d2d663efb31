import type { DeadLetterDecision } from '#contracts';
import { toReplay } from '../dead-letter.js';
import type { IncomingRecord } from '../record.js';
import { decisionOn, verdictOn, type Wish } from './decisions.js';
import type { Desk } from './desk.js';
import { readLetter, type Letter, type LetterPlace } from './letter.js';
import { Trouble } from './trouble.js';

/** What came of a wish for one letter. */
export interface Outcome {
  id: string;
  outcome: 'replayed' | 'discarded' | 'done before' | 'refused' | 'unknown';
  detail: string;
}

/** A letter whose decision is ours. */
interface Claim {
  record: IncomingRecord;
  letter: Letter;
  decision: DeadLetterDecision;
}

/** Letters at hand at once: each may hold 4 MiB. */
export const handful = 20;

/**
 * Decides on some letters. A replay is claimed on the decisions' topic first, then written back, then said to be done: a crash in between
 * leaves the letter `replaying`, never waiting. `unknown` means that the broker did not say whether the record arrived: nothing after it was tried.
 */
export async function decide(desk: Desk, places: readonly LetterPlace[], wish: Wish): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const claims: Claim[] = [];
  for (const place of places) {
    const found = await look(desk, place, wish);
    if ('outcome' in found) outcomes.push(found);
    else claims.push(found);
  }
  await desk.ledger.write(claims.map(({ decision }) => decision));
  const won = claims.filter(({ letter, decision }) => desk.ledger.decisions.of(letter)?.id === decision.id);
  for (const { letter } of claims.filter((claim) => !won.includes(claim))) outcomes.push(refused(letter.id, 'another operator was faster: list shows what became of it'));
  if (wish.state === 'replaying') return [...outcomes, ...(await writeBack(desk, won, wish))];
  return [...outcomes, ...won.map(({ letter }) => ({ id: letter.id, outcome: 'discarded' as const, detail: wish.reason ?? '' }))];
}

const refused = (id: string, detail: string): Outcome => ({ id, outcome: 'refused', detail });

async function look(desk: Desk, place: LetterPlace, wish: Wish): Promise<Claim | Outcome> {
  const id = `${place.topic}/${place.partition}/${place.offset}`;
  const record = await desk.find(place);
  if (record === undefined) return refused(id, 'there is no such letter (any more): list shows those that there are');
  const letter = readLetter(record);
  const head = desk.ledger.decisions.of(letter);
  const { verdict, why } = verdictOn(wish, head);
  if (verdict !== 'go') return { id, outcome: verdict === 'done' ? 'done before' : 'refused', detail: why };
  const hindrance = wish.state === 'replaying' ? (letter.hindrance ?? lostSource(desk, letter)) : null;
  if (hindrance !== null) return refused(id, `it cannot go back: ${hindrance}. Discard it, or leave it to its retention`);
  const { state, by, reason, request } = wish;
  return { record, letter, decision: decisionOn(letter, { state, by, after: head, reason, request }) };
}

const lostSource = (desk: Desk, { source }: Letter) => (desk.topics.has(source!.topic) ? null : `its topic ${source!.topic} does not exist any more`);

async function writeBack(desk: Desk, claims: readonly Claim[], { by, request }: Wish): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const ends: DeadLetterDecision[] = [];
  for (const { record, letter, decision } of claims) {
    const isOver = outcomes.at(-1)?.outcome === 'unknown';
    const outcome = isOver ? unknown(letter.id, 'not tried, since the one before it is unknown') : await sendBack(desk, record, letter);
    outcomes.push(outcome);
    if (outcome.outcome === 'replayed') ends.push(decisionOn(letter, { state: 'replayed', by, after: decision, request }));
    if (outcome.outcome === 'refused') ends.push(decisionOn(letter, { state: 'waiting', by, after: decision, reason: outcome.detail }));
  }
  await desk.ledger.write(ends).catch((error: unknown) => {
    throw new Trouble(`Not recorded (${String(error)}): ${ends.map(({ letter }) => letter).join(', ')}. They are "replaying" now; ${goOn}`);
  });
  return outcomes;
}

const goOn = 'replay them with --again when Kafka answers: what arrived already changes nothing';

const unknown = (id: string, detail: string): Outcome => ({ id, outcome: 'unknown', detail: `${detail}: it is "replaying" now; ${goOn}` });

async function sendBack(desk: Desk, record: IncomingRecord, { id, source }: Letter): Promise<Outcome> {
  const { topic, partition } = source!;
  try {
    // Back to its own partition, where what it follows lies, however its producer chose it; by its key where that partition is gone.
    const partitions = (await desk.reader.extent(topic)).length;
    await desk.producer.send([toReplay(record, { topic, partition: partition < partitions ? partition : undefined })]);
    return { id, outcome: 'replayed', detail: `back to ${topic}/${partition}` };
  } catch (error) {
    const told = refusalIn(error);
    return told === undefined ? unknown(id, `the broker did not say whether it arrived (${String(error)})`) : refused(id, `${topic} does not take it: ${told}`);
  }
}

const refusals = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'TOPIC_AUTHORIZATION_FAILED']);

/** What a broker says that surely did not write the record. */
function refusalIn(error: unknown): string | undefined {
  if (error instanceof RangeError) return error.message;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (refusals.has((cause as { type?: string }).type ?? '')) return cause.message;
  }
  return undefined;
}
