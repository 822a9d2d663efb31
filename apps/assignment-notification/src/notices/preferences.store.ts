import { Inject, Injectable } from '@nestjs/common';
import { NoticePreferences } from '#contracts';
import type { Database } from '#persistence';
import { Book } from '../book.store.js';
import { STORE } from '../store.js';

/** How who never chose is told. */
export const defaultPreferences: NoticePreferences = NoticePreferences.parse({});

/** Whose book of preferences it is: each person has one, with one page. */
export const preferencesKey = (orgId: string, memberId: string) => `${orgId}/${memberId}`;

/** How people want to be told of what concerns them. */
@Injectable()
export class Preferences extends Book<NoticePreferences> {
  constructor(@Inject(STORE) store: Database) {
    super(store, 'notice_preferences');
  }

  /** Of several people; a kind that came with a later version of the service is told by its default. @throws StoreFault */
  async of(keys: readonly string[]): Promise<(key: string) => NoticePreferences> {
    const books = await this.some(keys);
    return (key) => pageIn(books.get(key) ?? []);
  }
}

/** What a book of preferences says. */
export const pageIn = ([page]: readonly NoticePreferences[]): NoticePreferences => (page === undefined ? defaultPreferences : NoticePreferences.parse(page));
