import { DateTime } from 'luxon';
import type { KnownMember, NoticeKind, NoticePreferences, NoticeTiming } from '#contracts';
import type { Happening } from './notice.policy.js';

const soonest: readonly NoticeTiming[] = ['at-once', 'hourly', 'never'];
type Channel = 'inApp' | 'email';

/** How somebody wants to be told of something that is several things to them. */
export interface Chosen {
  happening: Happening;
  inApp: NoticeTiming;
  email: NoticeTiming;
  /** For what of it they want mail. */
  mailedFor: NoticeKind | null;
}

/** Each channel tells as soon as one of them wants it to; what is told is the weightiest that they want to hear of. Undefined for what they never want to hear of. */
export function chosenOf(happenings: readonly Happening[], preferences: NoticePreferences): Chosen | undefined {
  const by = (channel: Channel) => [...happenings].sort((one, other) => rank(one, channel) - rank(other, channel))[0]!;
  const rank = ({ kind }: Happening, channel: Channel) => soonest.indexOf(preferences[kind][channel]);
  const wanted = happenings.find(({ kind }) => preferences[kind].inApp !== 'never' || preferences[kind].email !== 'never');
  if (wanted === undefined) return undefined;
  const [{ kind: shownFor }, { kind: mailedFor }] = [by('inApp'), by('email')];
  const email = preferences[mailedFor].email;
  return { happening: wanted, inApp: preferences[shownFor].inApp, email, mailedFor: email === 'never' ? null : mailedFor };
}

/** The full hour of somebody's clock in which a moment lies. */
export function hourOf({ availability }: Pick<KnownMember, 'availability'>, at: Date): { from: Date; to: Date } {
  const from = DateTime.fromJSDate(at, { zone: availability?.timeZone ?? 'UTC' }).startOf('hour');
  return { from: from.toJSDate(), to: from.plus({ hours: 1 }).toJSDate() };
}
