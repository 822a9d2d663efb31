import { randomUUID } from 'node:crypto';
import type { DeadLetterDecision } from '#contracts';
import type { Letter } from './letter.js';

export type LetterState = DeadLetterDecision['state'];

type Named = Pick<Letter, 'id' | 'writtenAt'>;

/** Which decision holds for which letter, told the decisions in the order of their topic. */
export class Decisions {
  readonly #heads = new Map<string, DeadLetterDecision>();

  /** Counts only after the decision it names: of two operators who saw the same, the first wins. What lies before the oldest that is kept is believed. */
  take(decision: DeadLetterDecision): void {
    const name = `${decision.letter}@${decision.writtenAt}`;
    const head = this.#heads.get(name);
    if (head === undefined || head.id === decision.after) this.#heads.set(name, decision);
  }

  of({ id, writtenAt }: Named): DeadLetterDecision | undefined {
    return this.#heads.get(`${id}@${writtenAt}`);
  }

  stateOf(letter: Named): LetterState {
    return this.of(letter)?.state ?? 'waiting';
  }
}

/** What an operator wants of a letter, and who it is. */
export interface Wish {
  state: 'replaying' | 'discarded';
  again: boolean;
  by: string;
  reason?: string;
  request?: DeadLetterDecision['request'];
}

const wanted = { replaying: 'replayed', discarded: 'discarded' } as const;

/** What comes of a wish for a letter: `go`, `done` when it is so already, else why not. */
export interface WishVerdict {
  verdict: 'go' | 'done' | 'no';
  why: string;
}

export function verdictOn({ state, again }: Wish, head: DeadLetterDecision | undefined): WishVerdict {
  const isReplay = state === 'replaying';
  if (head === undefined || head.state === 'waiting' || (isReplay && again)) return { verdict: 'go', why: '' };
  const was = `${head.state} ${head.at} by ${head.by}`;
  if (head.state === wanted[state]) return { verdict: 'done', why: `already ${was}` };
  if (head.state === 'replaying') return { verdict: 'no', why: `${was}, ${unfinished}` };
  return { verdict: 'no', why: isReplay ? `it was ${was}. Replay it all the same with --again` : `it was ${was}` };
}

const unfinished = 'which was not finished: it may or may not be back on its topic. Replay it with --again; a command or event that is known changes nothing';

interface Next {
  state: LetterState;
  by: string;
  after: DeadLetterDecision | undefined;
  reason?: string | undefined;
  request?: DeadLetterDecision['request'];
}

export const decisionOn = ({ id, writtenAt }: Named, { state, by, after, reason, request }: Next): DeadLetterDecision => ({
  id: randomUUID(),
  after: after?.id ?? null,
  letter: id,
  writtenAt,
  state,
  at: new Date().toISOString(),
  by,
  ...(request && { request }),
  ...(reason !== undefined && { reason }),
});
