import type { Moment } from '#contracts';
import { ProblemError } from '#observability';
import { longestMs, tooLong } from '../asking.js';
import type { TicketView, TimelineRow } from '../ticket-view.projection.js';
import { changing, folded, openKinds, ticketThen, unborn, type Counted, type KeptTicket } from './ticket-past.projection.js';
import { between, ofVersions, type TicketKey, type TimelineRows } from './timeline-rows.store.js';

/** A ticket that somebody sees, as it is served. Nothing can be done any more with one of the past. */
export type SeenTicket = Pick<TicketView, 'version' | 'status' | 'deleted' | 'ticket' | 'description' | 'deadlines'> & { isPast?: boolean };

/** A version of the past and its time. */
export type Past = Pick<TimelineRow, 'version' | 'at'>;

/** Rows looked at together on the way to a time: three looks find one version of 15,000. */
const probes = 24;
/** Changes read at once; the description before and after an edit has up to 50,000 characters each. */
const chunk = 100;
const forPlace = { version: 1, type: 1, at: 1 };

/**
 * Tickets as they were, folded from their timeline rows by the function that made them. Knows nothing of sight or of rights, which are
 * today's: its one user, `TicketViewStore`, has looked at the ticket as it is.
 */
export class TicketMoments {
  constructor(private readonly rows: TimelineRows) {}

  /** The ticket at a moment. @throws ProblemError as `find` */
  async ticket(orgId: string, seen: SeenTicket, moment: Moment): Promise<SeenTicket> {
    const past = await this.find(orgId, seen, moment);
    if (!past) return seen;
    const now = keptIn(seen);
    const { description, ...ticket } = await this.fold({ orgId, id: now.id }, past, now);
    return { version: past.version, status: ticket.status, deleted: false, ticket: JSON.stringify(ticket), description, isPast: true };
  }

  /**
   * The version that a moment means, undefined for the newest. There is no ticket before its creation and no version beyond the newest: nothing is
   * wrong with asking (the next event makes that version), so it is not found, where a version 0 is a mistake. While it was deleted it was gone.
   * @throws ProblemError not-found, gone, dependency-unavailable
   */
  async find(orgId: string, seen: SeenTicket, moment: Moment): Promise<Past | undefined> {
    if (isNow(seen, moment)) return undefined;
    const row = await this.row({ orgId, id: keptIn(seen).id }, seen.version, moment);
    if (!row) throw new ProblemError('not-found', moment.asOf === undefined ? 'The ticket has no such version.' : 'There was no such ticket at that time.');
    if (row.type === 'deleted') throw gone();
    return row.version === seen.version ? undefined : row;
  }

  private async row(key: TicketKey, newest: number, { version, asOf }: Moment): Promise<TimelineRow | undefined> {
    if (asOf !== undefined) return this.newest(key, newest, Date.parse(asOf));
    if (version! > newest) return undefined;
    return (await this.rows.find(ofVersions(key, [version!]), 1, forPlace))[0];
  }

  /** The newest row at a time. Times never fall from one version to the next. */
  private async newest(key: TicketKey, newest: number, time: number): Promise<TimelineRow | undefined> {
    let found: TimelineRow | undefined;
    for (let [low, high, isLast] = [0, newest + 1, false]; !isLast; ) {
      const looked = spread(low, high);
      const rows = await this.rows.find(ofVersions(key, looked), 0, forPlace);
      isLast = looked.length === high - low - 1 || rows.length === 0;
      const isThere = ({ at }: TimelineRow) => Date.parse(at) <= time;
      found = rows.findLast(isThere) ?? found;
      [low, high] = [found?.version ?? low, rows.find((row) => !isThere(row))?.version ?? high];
    }
    return found;
  }

  private async fold(key: TicketKey, past: Past, now: KeptTicket) {
    const [state, said] = await Promise.all([this.changes(key, past.version, now), this.rows.said(between(key, 0, past.version))]);
    const open = said.filter(({ _id }) => openKinds.includes(_id));
    const counted: Counted = {
      ...past,
      commentCount: open.reduce((sum, { count }) => sum + count, 0),
      firstRepliedAt: open.find(({ _id }) => _id === 'reply')?.first ?? null,
    };
    return ticketThen(state, counted, now);
  }

  /** In pieces: edits may be many and large, and only what they come to is kept. */
  private async changes(key: TicketKey, to: number, now: KeptTicket) {
    const start = performance.now();
    for (let [state, after] = [unborn, 0]; ; ) {
      const rows = await this.rows.find({ ...between(key, after, to), type: { $in: [...changing] } }, chunk, { version: 1, item: 1 });
      state = folded(state, rows, now);
      if (rows.length < chunk && state.status === 'exists') return state;
      if (state.status === 'none') throw new Error(`the first event of ticket ${key.orgId}/${key.id} is missing`);
      if (performance.now() - start > longestMs) throw tooLong();
      after = rows.at(-1)!.version;
    }
  }
}

const isNow = (seen: SeenTicket, { version, asOf }: Moment) => asOf === undefined && (version === undefined || version === seen.version);

const keptIn = ({ ticket }: SeenTicket) => JSON.parse(ticket) as KeptTicket;

/** Versions between two others, at most so many, evenly spread. */
function spread(low: number, high: number): number[] {
  const count = Math.min(probes, high - low - 1);
  return Array.from({ length: count }, (_, i) => low + Math.ceil(((i + 1) * (high - low)) / (count + 1)));
}

/** What everybody is told who may see a deleted ticket. */
export const gone = () => new ProblemError('gone', 'The ticket was deleted.');
