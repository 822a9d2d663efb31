import type { OnApplicationShutdown } from '@nestjs/common';
import { inboundTopic, topics, type Actor, type DeadLetterPage, type DeadLetterView, type DeadLetterWhole } from '#contracts';
import { contentOf, decide, Desk, ownerOf, Patience, readId, readLetter, sourceTopic, type IncomingRecord, type LetterPlace, type Wish } from '#messaging';
import { ProblemError } from '#observability';
import type { DirectoryStore } from './directory.store.js';
import { FairLine } from './fair-line.js';
import { inTime } from './in-time.js';
import { unavailable } from './unavailable.js';

/** Who asks. */
export interface Asker {
  orgId: string;
  actor: Pick<Actor, 'type' | 'id'>;
}

/** What becomes of a letter, and which request says so. */
type Wanted = ({ state: 'replaying' } | { state: 'discarded'; reason: string }) & { request: { id: string; hash: string } };

/** For one page so much is read: a page may end early, and says where to go on. */
const [pageMs, pageBytes] = [2_000, 16 << 20];
/** How long a question may take, ms. */
const answerMs = 15_000;
/** Questions of an organisation that wait: each reads topics, and they come from people. */
const mostWaiting = 10;
/** A replay that is said to be under way for so long was cut off, ms. */
const cutOffMs = 60_000;

/**
 * Dead letters of organisations, for their administrators: those whose organisation is beyond doubt, of our own topics and of the outside systems
 * that it has ever registered. The rest is for operators (`npm run -s dead-letters`), who share the decisions with us.
 */
export class DeadLetters implements OnApplicationShutdown {
  private desk: Promise<Desk> | undefined;
  private readonly line = new FairLine(mostWaiting);

  constructor(
    private readonly brokers: string[],
    private readonly store: Pick<DirectoryStore, 'everIn'>,
  ) {}

  /** Letters in the order of their topics. @throws ProblemError dependency-unavailable, overloaded */
  page({ orgId }: Asker, from: LetterPlace | null, limit: number): Promise<{ items: DeadLetterView[]; next: LetterPlace | null }> {
    return this.inLine(orgId, async (desk) => {
      const items: DeadLetterView[] = [];
      const visit = (record: IncomingRecord) => {
        if (ownerOf(record) !== orgId) return true;
        if (items.length < limit) return items.push(viewOf(desk, record, orgId)) > 0;
        return false;
      };
      const next = await desk.scan(await this.topicsOf(desk, orgId), from, { visit, patience: new Patience(pageMs, pageBytes) });
      return { items, next };
    });
  }

  /** One letter as a whole. @throws ProblemError not-found, dependency-unavailable, overloaded */
  show({ orgId }: Asker, id: string): Promise<DeadLetterWhole> {
    return this.inLine(orgId, async (desk) => {
      const record = await this.recordOf(desk, orgId, id);
      const { key: rawKey, headers, value } = contentOf(record);
      return { ...viewOf(desk, record, orgId), headers: headers.map(([name, text]) => [name, text]), value, rawKey };
    });
  }

  /**
   * Sends a letter back, or puts it aside for good, and answers what it is then; one that is so already stays so. `first` is the request that
   * decided, when this is one under the same Idempotency-Key.
   * @throws ProblemError not-found, invalid-transition, dependency-unavailable, overloaded
   */
  settle({ orgId, actor }: Asker, id: string, { request, ...wanted }: Wanted): Promise<{ letter: DeadLetterView; first?: { hash: string } }> {
    return this.inLine(orgId, async (desk) => {
      const record = await this.recordOf(desk, orgId, id);
      const before = viewOf(desk, record, orgId);
      const decided = desk.ledger.decisions.of(readLetter(record));
      if (decided?.request?.id === request.id && decided.state !== 'replaying') return { letter: before, first: decided.request };
      const wish: Wish = { ...wanted, request, by: signatureOf(orgId, actor), again: isCutOff(before) };
      const [outcome] = await decide(desk, [placeOf(id)], wish);
      if (outcome!.outcome === 'unknown') throw unavailable('It is not known whether the record went back. A minute from now it can be replayed again: what arrived changes nothing.');
      const after = viewOf(desk, await this.recordOf(desk, orgId, id), orgId);
      if (outcome!.outcome === 'refused') throw refusal(after, wanted.state === 'replaying' ? 'replayed' : 'discarded');
      return { letter: after };
    });
  }

  async onApplicationShutdown(): Promise<void> {
    const desk = await this.desk?.catch(() => undefined);
    await desk?.close();
  }

  /** Topics of dead letters whose records an organisation may have a say in; of systems that it registers no more, too: theirs are looked at then above all. */
  private async topicsOf(desk: Desk, orgId: string): Promise<string[]> {
    const systems = await this.store.everIn(orgId, 'producer');
    const sources = new Set<string | undefined>([topics.commands, topics.events, topics.results, topics.deadlines, ...[...systems].map(inboundTopic)]);
    return [...desk.topics].filter((topic) => sources.has(sourceTopic(topic)));
  }

  private async recordOf(desk: Desk, orgId: string, id: string): Promise<IncomingRecord> {
    const place = placeOf(id);
    const isOurs = (await this.topicsOf(desk, orgId)).includes(place.topic);
    const record = isOurs ? await desk.find(place) : undefined;
    if (record === undefined || ownerOf(record) !== orgId) throw new ProblemError('not-found', 'There is no such dead letter.');
    return record;
  }

  /** One question at a time, each knowing what was decided before it. After trouble with the brokers the next one begins anew. */
  private inLine<T>(orgId: string, ask: (desk: Desk) => Promise<T>): Promise<T> {
    return this.line.enter(orgId, () => this.answer(ask));
  }

  private async answer<T>(ask: (desk: Desk) => Promise<T>): Promise<T> {
    const opening = (this.desk ??= Desk.open(this.brokers));
    const asking = opening.then(async (desk) => {
      await desk.refresh();
      return ask(desk);
    });
    try {
      return await inTime(asking, answerMs);
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      this.desk = undefined;
      void opening.then((desk) => desk.close()).catch(() => undefined);
      throw unavailable('Dead letters cannot be read right now.', error);
    }
  }
}

const placeOf = (id: string): LetterPlace => readId(id.replaceAll(':', '/'))!;

/** The decisions' topic is for operators, too: they read who it was. */
const signatureOf = (orgId: string, { type, id }: Asker['actor']) => `${type} ${id} of ${orgId}`;

const isCutOff = ({ state, decision }: DeadLetterView) => state === 'replaying' && Date.parse(decision!.at) < Date.now() - cutOffMs;

function viewOf(desk: Desk, record: IncomingRecord, orgId: string): DeadLetterView {
  const letter = readLetter(record);
  const decision = desk.ledger.decisions.of(letter);
  const { topic, partition, offset, reason, detail, time, consumer, source, type, key, bytes, hindrance } = letter;
  return {
    id: `${topic}:${partition}:${offset}`,
    ...{ reason, detail, at: time, consumer, source, type, key, bytes: bytes ?? 0, hindrance },
    state: decision?.state ?? 'waiting',
    decision: decision ? { at: decision.at, by: administratorIn(decision.by, orgId), reason: decision.reason ?? null } : null,
  };
}

/** Who of the organisation decided; operators are no business of administrators. */
function administratorIn(by: string, orgId: string): string | null {
  const [before, after] = ['member ', ` of ${orgId}`];
  return by.startsWith(before) && by.endsWith(after) ? by.slice(before.length, -after.length) : null;
}

/** What may become of a letter that waits. */
function refusal({ state, hindrance }: DeadLetterView, to: 'replayed' | 'discarded'): ProblemError {
  const allowed = state === 'waiting' ? [...(hindrance === null ? ['replayed'] : []), 'discarded'] : [];
  const why = state === 'waiting' ? (hindrance ?? 'its topic does not take it back, or somebody else was faster') : `it is ${state}`;
  return new ProblemError('invalid-transition', `The letter cannot be ${to}: ${why}.`, { from: state, to, allowed });
}

/** Where a page ends, for the next one to begin. */
export const afterOf = (next: LetterPlace | null): DeadLetterPage['nextAfter'] =>
  next && Buffer.from(`${next.topic}/${next.partition}/${next.offset}`).toString('base64url');

/** @throws ProblemError invalid-cursor */
export function placeAfter(after: string): LetterPlace | null {
  if (after === '0') return null;
  const place = readId(Buffer.from(after, 'base64url').toString());
  if (place === undefined || afterOf(place) !== after) throw new ProblemError('invalid-cursor', 'after is not the nextAfter of a page.');
  return place;
}
