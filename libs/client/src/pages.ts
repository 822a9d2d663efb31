import type { Calls, Query, ReadOptions } from './calls.js';

/** A page of something; `nextAfter` is null at the end. */
export interface Page<T> {
  items: T[];
  nextAfter: string | null;
}

/** Everything behind a path whose pages go by `after`, one by one; a page is asked for when the one before is used up. */
export async function* pagesOf<T>(calls: Calls, path: string, { query, options }: { query: Query; options: ReadOptions }): AsyncGenerator<T, void, undefined> {
  let { after } = query;
  do {
    const page: Page<T> = await calls.read(path, { ...query, after }, options);
    yield* page.items;
    after = page.nextAfter ?? undefined;
  } while (after !== undefined);
}
