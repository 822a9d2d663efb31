import { Inject, Injectable } from '@nestjs/common';
import type { AssignmentRule } from '#contracts';
import type { Database } from '#persistence';
import { Book } from '../book.store.js';
import { STORE } from '../store.js';

/** The assignment rules of organisations. */
@Injectable()
export class RuleBook extends Book<AssignmentRule> {
  constructor(@Inject(STORE) store: Database) {
    super(store, 'rule');
  }
}
