import { describe, expect, it } from '@jest/globals';
import type { SlaPolicyInput, TicketEvent } from '#contracts';
import { course, type Course } from '../../testing/course.js';
import { ruleOf } from '../../testing/policies.js';
import type { Rule } from './clocks.policy.js';
import { advanced, type Watched } from './watch.policy.js';

const at = (time: string) => Date.parse(`2026-01-05T${time}:00.000Z`);
const iso = (time: string) => new Date(at(time)).toISOString();
/** A ticket of ten o'clock, a Monday. */
const opened = course().at(iso('10:00')).created();
const later = (from: Course, time: string) => from.at(iso(time));

interface Told {
  type: string;
  kind?: string;
  dueAt?: string;
}

/** Lets events come and looks at moments, as timers do; remembers what was told. */
function given(from: Pick<Course, 'events'>, ...rules: Rule[]) {
  let watched: Watched | undefined;
  let events: readonly TicketEvent[] = from.events;
  let lookAt: number | null = null;
  const told: Told[] = [];
  const scene = {
    told,
    get lookAt() {
      return lookAt === null ? null : new Date(lookAt).toISOString().slice(11, 16);
    },
    get deadlines() {
      return Object.fromEntries((watched?.deadlines ?? []).map(({ kind, dueAt, state }) => [kind, dueAt === null ? state : `${state} ${dueAt.slice(11, 16)}`]));
    },
    get revision() {
      return watched?.revision;
    },
    consequences: [] as unknown[],
    look(time: string, by: readonly Rule[] = rules, heard = time) {
      const advance = advanced(watched, events, { rules: by, now: at(time), heardUpTo: at(heard) });
      events = [];
      if (advance === undefined) return scene;
      watched = advance.after;
      ({ lookAt } = advance);
      told.push(...advance.news.map((news) => ({ type: news.type.slice('ticket.'.length, -'.v1'.length), ...('deadline' in news && { kind: news.deadline.kind, dueAt: news.deadline.dueAt.slice(11, 16) }) })));
      scene.consequences.push(...advance.consequences.map(({ action }) => action));
      return scene;
    },
    comes(next: Course, time: string, by: readonly Rule[] = rules, heard = time) {
      events = next.events;
      return scene.look(time, by, heard);
    },
  };
  return scene;
}

const changed: Told = { type: 'deadlines-changed' };
const hour = ruleOf();
const types = (told: readonly Told[]) => told.map(({ type, kind }) => (kind ? `${type} ${kind}` : type));

describe('the deadlines of a ticket', () => {
  it('begin with it, warn when most of the time is over, and are missed when all of it is', () => {
    const scene = given(opened, hour).look('10:00');
    expect([scene.deadlines, scene.lookAt, scene.told]).toEqual([{ 'first-reply': 'running 11:00', resolution: 'running 10:00' }, '10:48', [changed]]);
    expect([scene.look('10:47').told.length, scene.look('10:48').deadlines['first-reply'], scene.lookAt]).toEqual([1, 'warning 11:00', '11:00']);
    expect(scene.look('11:00').deadlines['first-reply']).toBe('missed 11:00');
    expect(scene.look('12:00').told).toEqual([changed, { type: 'deadline-warning', kind: 'first-reply', dueAt: '11:00' }, { type: 'deadline-missed', kind: 'first-reply', dueAt: '11:00' }]);
    expect(scene.revision).toBe(3);
  });

  it('of replies are met by a reply, not by a comment, and tell so once', () => {
    const scene = given(opened, hour).look('10:00');
    scene.comes(later(opened, '10:10').commented(), '10:10');
    expect(scene.told).toEqual([changed]);
    const replied = later(opened, '10:20').replied();
    for (let again = 0; again < 2; again += 1) scene.comes(replied, '10:21');
    expect([scene.deadlines['first-reply'], types(scene.told)]).toEqual(['met 11:00', ['deadlines-changed', 'deadline-met first-reply']]);
  });

  it('of what the requester writes begin when it was the first since the last reply, and only behind the first reply', () => {
    const waiting = later(opened, '10:05').said();
    expect(given(waiting, hour).look('10:06').deadlines).not.toHaveProperty('next-reply');
    const answered = later(waiting, '10:10').replied();
    const again = later(later(answered, '11:00').said(), '11:30').said();
    const scene = given(again, hour).look('11:31');
    expect([scene.deadlines, types(scene.told)]).toEqual([{ 'first-reply': 'met 11:00', 'next-reply': 'running 12:00', resolution: 'running 10:00' }, ['deadline-met first-reply']]);
    scene.comes(later(again, '11:40').replied(), '11:41');
    expect([scene.deadlines['next-reply'], types(scene.told).at(-1)]).toEqual(['met 12:00', 'deadline-met next-reply']);
    expect(given(later(answered, '11:00').said('assistant'), hour).look('11:01').deadlines).not.toHaveProperty('next-reply');
  });

  it('of what the requester writes stand alone where there is none for the first reply', () => {
    const rule = ruleOf({ targets: { normal: { nextReply: 30 } } });
    expect(given(later(opened, '10:05').said(), rule).look('10:06').deadlines).toEqual({ 'next-reply': 'running 10:35' });
  });

  it('stand still while the ticket is pending or resolved, and go on where they were', () => {
    const pending = later(opened, '10:30').moved('pending');
    const scene = given(pending, hour).look('10:31');
    expect([scene.deadlines, scene.lookAt]).toEqual([{ 'first-reply': 'paused', resolution: 'paused' }, null]);
    const back = later(pending, '13:30').moved('open');
    scene.comes(back, '13:31');
    expect([scene.deadlines['first-reply'], scene.lookAt]).toEqual(['running 14:00', '13:48']);
    const again = later(later(back, '13:40').moved('pending'), '15:00').moved('open');
    expect(scene.comes(again, '15:01').deadlines['first-reply']).toBe('running 15:20');
  });

  it('of the resolution are met by it, and go on when the ticket is reopened', () => {
    const resolved = later(later(opened, '11:00').moved('pending'), '12:00').moved('resolved');
    const scene = given(resolved, ruleOf({ targets: { normal: { resolution: 120 } } })).look('12:01');
    expect([scene.deadlines, types(scene.told)]).toEqual([{ resolution: 'met 13:00' }, ['deadline-met resolution']]);
    const reopened = later(resolved, '14:00').moved('open');
    expect(scene.comes(reopened, '14:01').deadlines).toEqual({ resolution: 'running 15:00' });
    scene.look('15:00');
    const late = later(later(reopened, '15:30').moved('pending'), '15:31').moved('resolved');
    expect([scene.comes(late, '15:32').deadlines, types(scene.told)]).toEqual([{ resolution: 'late 15:00' }, ['deadline-met resolution', 'deadlines-changed', 'deadline-missed resolution', 'deadlines-changed']]);
  });

  it('are over with a ticket that is closed, and away while it is deleted', () => {
    const closed = ['pending', 'resolved', 'closed'].reduce((one, to) => later(one, '10:10').moved(to as 'closed'), opened);
    expect(given(closed, hour).look('12:00').deadlines).toEqual({ resolution: 'met 10:00' });
    const deleted = later(opened, '10:30').deleted();
    const scene = given(opened, hour).look('10:00').comes(deleted, '10:31');
    expect([scene.deadlines, scene.lookAt, types(scene.told)]).toEqual([{}, null, ['deadlines-changed', 'deadlines-changed']]);
    expect(scene.comes(later(deleted, '11:30').restored(), '11:31').deadlines['first-reply']).toBe('running 12:00');
  });

  it('count working hours, not holidays, by the zone’s clock', () => {
    const rule = ruleOf({ targets: { normal: { firstReply: 120 } }, hours: { timeZone: 'America/New_York', workingHours: [{ days: ['mon', 'tue', 'wed'], from: '09:00', to: '10:00' }], holidays: ['2026-01-06'] } });
    const { dueAt } = advanced(undefined, opened.events, { rules: [rule], now: at('10:00'), heardUpTo: at('10:00') })!.after.deadlines[0]!;
    expect(dueAt).toBe('2026-01-07T15:00:00.000Z');
  });
});

describe('what changes mid-way', () => {
  const byPriority = ruleOf({ targets: { normal: { resolution: 240 }, urgent: { resolution: 60 } } });

  it('that was missed stays so where the priority that it was given sets none, until it is done', () => {
    const rule = ruleOf({ targets: { normal: { firstReply: 60 }, high: { resolution: 600 } } });
    const scene = given(opened, rule).look('11:00');
    const raised = later(opened, '11:01').edited({ priority: 'high' });
    expect(scene.comes(raised, '11:01').deadlines).toEqual({ 'first-reply': 'missed 11:00', resolution: 'running 20:00' });
    expect(scene.look('11:02', [ruleOf({ targets: { high: { resolution: 600 } } })]).deadlines).toEqual({ resolution: 'running 20:00' });
    expect(scene.comes(later(raised, '11:30').replied(), '11:30').deadlines).toEqual({ 'first-reply': 'late 11:00', resolution: 'running 20:00' });
    expect(types(scene.told).filter((type) => type !== 'deadlines-changed')).toEqual(['deadline-missed first-reply']);
  });

  it('a priority counts for all the time so far', () => {
    const scene = given(opened, byPriority).look('10:00');
    expect(scene.deadlines).toEqual({ resolution: 'running 14:00' });
    const urgent = later(opened, '12:00').edited({ priority: 'urgent' });
    expect([scene.comes(urgent, '12:00').deadlines, types(scene.told).at(-1)]).toEqual([{ resolution: 'missed 11:00' }, 'deadline-missed resolution']);
    const normal = later(urgent, '12:30').edited({ priority: 'normal' });
    expect(scene.comes(normal, '12:30').deadlines).toEqual({ resolution: 'running 14:00' });
    scene.look('13:12').look('14:00');
    expect([scene.deadlines, types(scene.told).filter((type) => type.startsWith('deadline-'))]).toEqual([{ resolution: 'missed 14:00' }, ['deadline-missed resolution']]);
    expect(scene.comes(later(normal, '14:10').edited({ priority: 'low' }), '14:10').deadlines).toEqual({});
  });

  it('an assistant brings the first policy that is for it', () => {
    const rules = [ruleOf({ condition: { assistantIds: ['a'] }, targets: { normal: { resolution: 30 } } }), ruleOf({ enabled: false }), ruleOf({ targets: { normal: { resolution: 90 } } }), hour];
    const scene = given(opened, ...rules).look('10:00');
    expect(scene.deadlines).toEqual({ resolution: 'running 11:30' });
    expect(scene.comes(later(opened, '10:10').edited({ assistantId: 'a' }), '10:10').deadlines).toEqual({ resolution: 'running 10:30' });
  });

  it('a policy that changes counts at once, and one that is new from when it was made', () => {
    const scene = given(opened, hour).look('10:00');
    expect(scene.look('10:30', [ruleOf({ targets: { normal: { firstReply: 90 } } })]).deadlines).toEqual({ 'first-reply': 'running 11:30' });
    expect(scene.look('10:40', [ruleOf({}, iso('10:40'))]).deadlines['first-reply']).toBe('running 11:40');
    expect([scene.look('10:50', []).deadlines, scene.lookAt]).toEqual([{}, null]);
    const done = later(opened, '10:05').replied();
    expect(given(done, ruleOf({}, iso('10:40'))).look('10:41').deadlines).toEqual({ resolution: 'running 10:40' });
  });
});

describe('a clock that jumps', () => {
  it('forward makes due what is due then, and back neither takes it back nor tells it again', () => {
    const scene = given(opened, hour).look('10:00').look('13:00');
    expect([scene.deadlines['first-reply'], types(scene.told)]).toEqual(['missed 11:00', ['deadlines-changed', 'deadline-missed first-reply']]);
    scene.look('10:05').look('10:48').look('11:00');
    expect([scene.deadlines['first-reply'], types(scene.told)]).toEqual(['missed 11:00', ['deadlines-changed', 'deadline-missed first-reply']]);
  });

  it('back leaves what was near near, and what is given more time has it', () => {
    const scene = given(opened, hour).look('10:00').look('10:50').look('10:10');
    expect([scene.deadlines['first-reply'], scene.lookAt, types(scene.told)]).toEqual(['warning 11:00', '11:00', ['deadlines-changed', 'deadline-warning first-reply']]);
    expect(scene.look('10:20', [ruleOf({ targets: { normal: { firstReply: 120 } } })]).deadlines).toEqual({ 'first-reply': 'running 12:00' });
  });
});

describe('time of which not all events were heard', () => {
  it('makes nothing due', () => {
    const scene = given(opened, hour).look('10:00').look('13:00', [hour], '10:59');
    expect([scene.deadlines['first-reply'], scene.lookAt, types(scene.told)]).toEqual(['warning 11:00', '11:00', ['deadlines-changed', 'deadline-warning first-reply']]);
    expect(scene.look('13:00', [hour], '11:00').deadlines['first-reply']).toBe('missed 11:00');
  });

  it('makes nothing due by an event either, but up to when that was', () => {
    const scene = given(opened, hour).look('13:00', [hour], '09:00');
    expect([scene.deadlines['first-reply'], scene.lookAt, types(scene.told)]).toEqual(['running 11:00', '10:48', ['deadlines-changed']]);
    scene.comes(later(opened, '10:50').commented().edited({ priority: 'high' }), '13:00', [hour], '09:00');
    expect(scene.deadlines['first-reply']).toBe('warning 11:00');
    scene.comes(later(opened, '10:55').commented().edited({ priority: 'high' }).replied(), '13:00', [hour], '09:00').look('13:00');
    expect([scene.deadlines['first-reply'], types(scene.told)]).toEqual(['met 11:00', ['deadlines-changed', 'deadline-warning first-reply', 'deadline-met first-reply']]);
  });
});

describe('events', () => {
  const replied = later(opened, '10:20').replied();

  it('that come late are judged by their own time: what was done in time was', () => {
    const scene = given(opened, hour).look('10:00').look('11:00').comes(replied, '11:05');
    expect([scene.deadlines['first-reply'], types(scene.told)]).toEqual(['met 11:00', ['deadlines-changed', 'deadline-missed first-reply', 'deadline-met first-reply']]);
    expect(given(later(opened, '11:30').replied(), hour).look('15:00').told).toEqual([{ type: 'deadline-missed', kind: 'first-reply', dueAt: '11:00' }]);
  });

  it('that come again, alone or all together, change nothing', () => {
    const together = given(replied, hour).look('10:30');
    const scene = given(opened, hour).look('10:00').comes(replied, '10:30').comes(opened, '10:31').comes(replied, '10:31');
    expect([scene.deadlines, types(scene.told)]).toEqual([together.deadlines, ['deadlines-changed', 'deadline-met first-reply']]);
  });

  it('whose first ones are missing tell what they can', () => {
    const scene = given({ events: later(replied, '10:40').moved('pending').events.slice(2) }, hour).look('10:41');
    expect(scene.deadlines).toEqual({ 'first-reply': 'met 11:00', resolution: 'paused' });
  });

  it('of a ticket that goes to and fro thousands of times are kept in bounds, and the time stays right', () => {
    let ticket = opened;
    for (let i = 0; i < 300; i += 1) ticket = ticket.at(new Date(at('10:00') + (2 * i + 1) * 1_000).toISOString()).moved('pending').at(new Date(at('10:00') + (2 * i + 2) * 1_000).toISOString()).moved('open');
    const { after } = advanced(undefined, ticket.events, { rules: [hour], now: at('10:10'), heardUpTo: at('10:10') })!;
    expect([after.clocks.pauses.length, after.deadlines[0]]).toEqual([100, { kind: 'first-reply', dueAt: iso('11:05'), state: 'running' }]);
  });
});

describe('what a policy does', () => {
  const acting = (onMissed: SlaPolicyInput['onMissed']) => ruleOf({ targets: { normal: { firstReply: 60 }, high: { firstReply: 60 } }, onMissed });

  it('it does when a deadline is missed, once, and not when it was done meanwhile', () => {
    const rule = acting([{ type: 'raise-priority' }, { type: 'reassign', to: null }]);
    const scene = given(opened, rule).look('10:00').look('10:48');
    expect(scene.consequences).toEqual([]);
    scene.look('11:00').look('11:01').comes(later(opened, '11:02').edited({ priority: 'high' }), '11:02').look('12:00');
    expect(scene.consequences).toEqual([{ type: 'raise-priority' }, { type: 'reassign', to: null }]);
    const done = given(later(opened, '11:30').replied(), rule).look('11:31');
    expect([types(done.told), done.consequences]).toEqual([['deadline-missed first-reply'], []]);
  });

  it('it tells whoever has the ticket, and whom it names, each once', () => {
    const rule = acting([{ type: 'notify', assignee: true, memberIds: ['ada', 'grace'] }]);
    const { news } = advanced(undefined, opened.assigned({ type: 'member', id: 'grace', name: 'Grace' }).events, { rules: [rule], now: at('11:00'), heardUpTo: at('11:00') })!;
    expect(news).toMatchObject([{ type: 'ticket.deadline-missed.v1', tell: [{ type: 'member', id: 'grace' }, { type: 'member', id: 'ada' }], sight: { assignee: { type: 'member', id: 'grace' } } }]);
  });
});
