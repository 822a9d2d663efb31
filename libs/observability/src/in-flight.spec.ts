import { describe, expect, it } from '@jest/globals';
import { InFlight } from './in-flight.js';

/** Something that begins when it is asked for and ends when the spec says so. */
function begun() {
  const ends: PromiseWithResolvers<number>[] = [];
  const begin = async () => {
    const end = Promise.withResolvers<number>();
    ends.push(end);
    return end.promise;
  };
  return { ends, begin };
}

describe('what is under way', () => {
  it('is begun once for all who ask meanwhile, and anew for who asks later', async () => {
    const [flights, { ends, begin }] = [new InFlight<number>(), begun()];
    const both = [flights.share('a', begin), flights.share('a', begin)];
    expect(ends).toHaveLength(1);
    ends[0]!.resolve(1);
    expect(await Promise.all(both)).toEqual([1, 1]);
    const later = flights.share('a', begin);
    ends[1]!.resolve(2);
    expect(await later).toBe(2);
  });

  it('is nobody else’s', async () => {
    const [flights, { ends, begin }] = [new InFlight<number>(), begun()];
    const each = [flights.share('a', begin), flights.share('b', begin)];
    ends.forEach(({ resolve }, i) => resolve(i));
    expect(await Promise.all(each)).toEqual([0, 1]);
  });

  it('fails for all who asked, and is begun anew after that', async () => {
    const [flights, { ends, begin }] = [new InFlight<number>(), begun()];
    const both = [flights.share('a', begin), flights.share('a', begin)];
    ends[0]!.reject(new Error('away'));
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = flights.share('a', begin);
    ends[1]!.resolve(2);
    expect(await again).toBe(2);
  });
});
