import { describe, expect, it, jest } from '@jest/globals';
import { ListQuery } from '#contracts';
import { grace } from '../../../libs/contracts/testing/builders.js';
import { longestMs, tooLong } from './asking.js';
import { ListCursors } from './list-cursor.js';
import type { Count } from './large-counts.js';
import type { Piece, Question, SearchPort } from './search/search.port.js';
import { TicketViewStore } from './ticket-view.store.js';

/** A store of which everything is in sight, and a search with so many hits whose count is another matter. */
function opened(hits: number, count: () => Promise<Count>, findMs = 0) {
  const ids = Array.from({ length: hits }, (_, i) => `acme/${i}`);
  const found = async (_: Question, { skip, limit }: Piece) => {
    if (findMs > 0) await new Promise((resolve) => setTimeout(resolve, findMs));
    return ids.slice(skip, skip + limit).map((id) => ({ id, position: [0, id] }));
  };
  const db = {
    collection: () => undefined,
    command: ({ filter }: { filter: { _id: { $in: string[] } } }) => Promise.resolve({ cursor: { firstBatch: filter._id.$in.map((_id) => ({ _id, ticket: '{}' })), id: 0 } }),
  };
  const search = { find: found, count, countByStatus: () => Promise.reject(tooLong()) } as unknown as SearchPort;
  const store = new TicketViewStore({ db } as never, {} as never, new ListCursors('a secret of thirty-two characters'), {} as never, search, () => undefined);
  return {
    list: (asked: Record<string, string> = {}) => store.list({ principal: grace }, ListQuery.parse({ q: 'printer', ...asked })),
    counts: () => store.counts({ principal: grace }, { q: 'printer' }),
  };
}
const unavailable = { problem: { type: '/problems/dependency-unavailable' }, headers: { 'retry-after': '1' } };

describe('a total that takes too long to count', () => {
  it.each([[{}, 25, 26], [{ page: '2' }, 25, 51], [{ page: '3' }, 10, 60]])('does not keep back what was found %j: it is as many as are known of, and more may be', async (asked, shown, total) => {
    const { list } = opened(60, () => Promise.reject(tooLong()));
    const page = await list(asked);
    expect([page.items.length, page.total, page.isExact]).toEqual([shown, total, false]);
  });

  it.each([[0, longestMs], [longestMs - 1, longestMs - 1 + 500]])('is waited for as long as a question may take, and no longer; a short one has its time in any case (found after %i ms, told after %i)', async (findMs, ms) => {
    jest.useFakeTimers();
    let isTold = false;
    const { list } = opened(60, () => new Promise(() => undefined), findMs);
    const asked = list().then((page) => ((isTold = true), page));
    await jest.advanceTimersByTimeAsync(ms - 1);
    expect(isTold).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    jest.useRealTimers();
    expect(await asked).toMatchObject({ total: 26, isExact: false });
  });

  it('is told where it comes in time, and what goes wrong otherwise is not hidden', async () => {
    expect(await opened(60, () => Promise.resolve({ total: 60, isExact: true })).list()).toMatchObject({ total: 60, isExact: true });
    await expect(opened(60, () => Promise.reject(new TypeError('broken'))).list()).rejects.toThrow('broken');
  });

  it('is no answer where nothing was found to be shown, nor to who asks for nothing else', async () => {
    const { list, counts } = opened(60, () => Promise.reject(tooLong()));
    await expect(list({ page: '4' })).rejects.toMatchObject(unavailable);
    await expect(counts()).rejects.toMatchObject(unavailable);
  });
});
