import { Inject, Injectable } from '@nestjs/common';
import type { RequesterUpdates } from '#contracts';
import type { Database } from '#persistence';
import { Book } from '../book.store.js';
import { STORE } from '../store.js';

/** What requesters are told, by assistant. */
@Injectable()
export class UpdateBook extends Book<RequesterUpdates> {
  constructor(@Inject(STORE) store: Database) {
    super(store, 'requester_update');
  }
}
