import type { Principal, Sort } from '#contracts';
import type { ListFilters } from '../list-conditions.js';
import type { Position } from '../list-order.js';
import type { Count } from '../large-counts.js';

/** What somebody searches for. What the principal may see is part of it. */
export interface Question {
  principal: Principal;
  /** As typed into a search box. */
  q: string;
  filters: ListFilters;
  sort: Sort;
  /** When somebody asked, of `performance.now()`: what was read since then for this question need not be read again. */
  askedAt: number;
}

/** A part of what was found: behind a position, or so many further on. */
export interface Piece {
  from?: Position | undefined;
  skip: number;
  limit: number;
}

/** A ticket that was found, by its view's `_id`, and where it stands in the order asked for. */
export interface Hit {
  id: string;
  position: Position;
}

/**
 * Finds tickets by their words. An engine beside this one reads the same events and answers the same questions; whoever shows its hits
 * reads them from the views again, with sight, so an index that lags never shows what is no longer anybody's to see.
 */
export abstract class SearchPort {
  /** Tickets that match, in order. @throws ProblemError dependency-unavailable */
  abstract find(question: Question, piece: Piece): Promise<Hit[]>;
  /** How many match, up to 10,000; where very many have the words and pass filters that change often, out of 10,000 that have the words. @throws ProblemError dependency-unavailable */
  abstract count(question: Question): Promise<Count>;
  /** The same for every status, in the contract's order of statuses, counted together; the question names none. @throws ProblemError dependency-unavailable */
  abstract countByStatus(question: Question): Promise<Count[]>;
}
