import { describe, expect, it } from '@jest/globals';
import { alwaysThere, NoticePreferences, NoticeTiming } from '#contracts';
import type { Happening } from './notice.policy.js';
import { defaultPreferences } from './preferences.store.js';
import { chosenOf, hourOf } from './timing.js';

const mentioned: Happening = { kind: 'mentioned', data: { where: 'comment', commentId: 'c', excerpt: '' }, isNote: false };
const moved: Happening = { kind: 'status', data: { from: 'open', to: 'pending' }, isNote: false };
const wanting = (mention: [NoticeTiming, NoticeTiming], move: [NoticeTiming, NoticeTiming]) =>
  NoticePreferences.parse({ mentioned: { inApp: mention[0], email: mention[1] }, status: { inApp: move[0], email: move[1] } });

describe('how somebody is told', () => {
  it('is as they chose, at every value', () => {
    for (const inApp of NoticeTiming.options) {
      for (const email of NoticeTiming.options) {
        const chosen = chosenOf([mentioned], wanting([inApp, email], ['never', 'never']));
        if (inApp === 'never' && email === 'never') expect(chosen).toBeUndefined();
        else expect(chosen).toEqual({ happening: mentioned, inApp, email, mailedFor: email === 'never' ? null : 'mentioned' });
      }
    }
  });

  it('of several things at once is as soon as one of them wants it, in words for the weightiest', () => {
    expect(chosenOf([mentioned, moved], wanting(['never', 'hourly'], ['at-once', 'at-once']))).toEqual({ happening: mentioned, inApp: 'at-once', email: 'at-once', mailedFor: 'status' });
    expect(chosenOf([mentioned, moved], wanting(['never', 'never'], ['at-once', 'never']))).toEqual({ happening: moved, inApp: 'at-once', email: 'never', mailedFor: null });
  });

  it('is sensible for who never chose', () => {
    expect(chosenOf([mentioned, moved], defaultPreferences)).toMatchObject({ inApp: 'at-once', email: 'at-once' });
    expect(chosenOf([moved], defaultPreferences)).toMatchObject({ inApp: 'at-once', email: 'hourly' });
  });
});

describe('an hour', () => {
  const at = new Date('2026-10-25T00:45:00Z');
  const hour = (timeZone: string, moment = at) => {
    const { from, to } = hourOf({ availability: { ...alwaysThere, timeZone } }, moment);
    return [from.toISOString(), to.toISOString()];
  };

  it('is one of the clock that somebody goes by', () => {
    expect(hour('UTC')).toEqual(['2026-10-25T00:00:00.000Z', '2026-10-25T01:00:00.000Z']);
    expect(hour('Asia/Kolkata')).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']);
  });

  it('comes twice where clocks are put back, and both are hours', () => {
    expect(hour('Europe/Berlin')).toEqual(['2026-10-25T00:00:00.000Z', '2026-10-25T01:00:00.000Z']);
    expect(hour('Europe/Berlin', new Date('2026-10-25T01:45:00Z'))).toEqual(['2026-10-25T01:00:00.000Z', '2026-10-25T02:00:00.000Z']);
  });
});
