import { describe, expect, it } from '@jest/globals';
import { Decisions, decisionOn, verdictOn, type Wish } from './decisions.js';

const letter = { id: 'dead.s.t/0/1', writtenAt: '1' };
const claim = (by: string, after?: ReturnType<typeof decisionOn>) => decisionOn(letter, { state: 'replaying', by, after });
const replay: Wish = { state: 'replaying', again: false, by: 'ada' };

const told = (...given: ReturnType<typeof decisionOn>[]) => {
  const decisions = new Decisions();
  for (const decision of given) decisions.take(decision);
  return decisions;
};

describe('decisions on a dead letter', () => {
  it('go to the first of two operators who saw the same', () => {
    const [first, second] = [claim('ada'), claim('hank')];
    expect(told(first, second).of(letter)).toBe(first);
    const end = decisionOn(letter, { state: 'replayed', by: 'hank', after: second });
    expect(told(first, second, end).of(letter)).toBe(first);
  });

  it('that come twice count once', () => {
    const first = claim('ada');
    const end = decisionOn(letter, { state: 'replayed', by: 'ada', after: first });
    expect(told(first, first, end, first).of(letter)).toBe(end);
  });

  it('end what another operator has taken over only for him', () => {
    const first = claim('ada');
    const taken = claim('hank', first);
    const late = decisionOn(letter, { state: 'waiting', by: 'ada', after: first });
    expect(told(first, taken, late).of(letter)).toBe(taken);
  });

  it('are those of this letter, not of one of the same name in an older topic', () => {
    expect(told(claim('ada')).stateOf({ ...letter, writtenAt: '2' })).toBe('waiting');
  });

  it('are believed where those before them are compacted away', () => {
    const end = decisionOn(letter, { state: 'replayed', by: 'ada', after: claim('ada') });
    expect(told(end).stateOf(letter)).toBe('replayed');
  });
});

describe('a wish for a letter', () => {
  const head = (state: 'replaying' | 'replayed' | 'discarded' | 'waiting') => decisionOn(letter, { state, by: 'hank', after: undefined });
  const verdicts = (wish: Wish) => [undefined, head('waiting'), head('replaying'), head('replayed'), head('discarded')].map((one) => verdictOn(wish, one).verdict);

  it('to replay it is for those that wait', () => expect(verdicts(replay)).toEqual(['go', 'go', 'no', 'done', 'no']));
  it('to replay it again is for all', () => expect(verdicts({ ...replay, again: true })).toEqual(['go', 'go', 'go', 'go', 'go']));
  it('to discard it is for those that wait', () => expect(verdicts({ ...replay, state: 'discarded' })).toEqual(['go', 'go', 'no', 'no', 'done']));
});
