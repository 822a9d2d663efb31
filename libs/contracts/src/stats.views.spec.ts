import { describe, expect, it } from '@jest/globals';
import { queryPointer, StatsQuery, validationErrors } from './index.js';

const today = () => new Date().toISOString().slice(0, 10);
const refused = (query: object) => {
  const { error } = StatsQuery.safeParse(query);
  return error && validationErrors(error.issues, queryPointer).map(({ pointer, code }) => `${pointer} ${code}`);
};

describe('query of statistics', () => {
  it('without bounds is the last 30 days, today included', () => {
    const before = today();
    const { from, to } = StatsQuery.parse({});
    expect([before, today()]).toContain(to.slice(0, 10));
    expect(to.slice(10)).toBe('T24:00:00.000Z');
    expect(Date.parse(to) - Date.parse(from)).toBe(30 * 86_400_000);
  });

  it.each([
    ['dates count whole', { from: '2026-01-01', to: '2026-01-31' }, '2026-01-01T00:00:00.000Z', '2026-01-31T24:00:00.000Z'],
    ['instants are told in UTC', { from: '2026-01-01T00:00:00+01:00', to: '2026-01-31T12:00:00Z' }, '2025-12-31T23:00:00.000Z', '2026-01-31T12:00:00.000Z'],
    ['an end alone has whole days before it', { to: '2026-01-31T12:00:00Z' }, '2026-01-01T00:00:00.000Z', '2026-01-31T12:00:00.000Z'],
    ['a start in the future has a day', { from: '2999-01-31T12:00:00Z' }, '2999-01-31T12:00:00.000Z', '2999-01-31T24:00:00.000Z'],
    ['nothing lies before the first year', { to: '0000-01-05' }, '0000-01-01T00:00:00.000Z', '0000-01-05T24:00:00.000Z'],
    ['ten years are taken', { from: '2016-01-01', to: '2025-12-31' }, '2016-01-01T00:00:00.000Z', '2025-12-31T24:00:00.000Z'],
    ['the last of all days has an end', { from: '9999-12-31', to: '9999-12-31' }, '9999-12-31T00:00:00.000Z', '9999-12-31T24:00:00.000Z'],
  ])('%s', (_, query, from, to) => expect(StatsQuery.parse(query)).toEqual({ from, to }));

  it('takes several assistants', () => expect(StatsQuery.parse({ assistantId: ['a,b', 'c'] }).assistantId).toEqual(['a', 'b', 'c']));

  it.each([
    [{ from: '2026-02-01', to: '2026-01-31' }, '?from out_of_order'],
    [{ from: '2015-12-01', to: '2025-12-31' }, '?from too_long'],
    [{ from: '2001-01-01' }, '?from too_long'],
    [{ from: '2026-02-30' }, '?from invalid_union'],
    [{ to: 'tomorrow' }, '?to invalid_union'],
    [{ from: ['2026-01-01', '2026-01-02'] }, '?from invalid_type'],
    [{ to: { $ne: '' } }, '?to invalid_type'],
    [{ assistantId: '../x' }, '?assistantId invalid_format'],
    [{ status: 'open' }, '?status unknown_field'],
  ])('refuses %j', (query, error) => expect(refused(query)).toEqual([error]));
});
