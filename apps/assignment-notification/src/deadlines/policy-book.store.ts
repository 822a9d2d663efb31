import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { SlaPolicy } from '#contracts';
import type { Database } from '#persistence';
import { Book } from '../book.store.js';
import { STORE } from '../store.js';
import { Calendar } from './calendar.js';
import type { Rule } from './clocks.policy.js';

/** The policies of an organisation at a revision, ready to judge by. */
export interface Ruling {
  revision: number;
  rules: readonly Rule[];
}

/** By whom nobody is judged. */
export const unruled: Ruling = { revision: 0, rules: [] };

/** The policies of organisations. */
@Injectable()
export class PolicyBook extends Book<SlaPolicy> {
  private readonly ready = new LRUCache<string, Ruling>({ max: 500 });

  constructor(@Inject(STORE) store: Database) {
    super(store, 'sla', true);
  }

  /** Policies as they are now, of organisations that ever had some. @throws StoreFault */
  async rulings(orgIds: readonly string[]): Promise<Map<string, Ruling>> {
    const rulings = new Map<string, Ruling>();
    for (const [orgId, revision] of await this.revisions(orgIds)) {
      const known = this.ready.get(orgId);
      rulings.set(orgId, known?.revision === revision ? known : await this.prepared(orgId));
    }
    return rulings;
  }

  private async prepared(orgId: string): Promise<Ruling> {
    const { revision, rules } = await this.edition(orgId);
    const ruling = { revision, rules: rules.map((policy) => ({ policy, time: new Calendar(policy.hours) })) };
    this.ready.set(orgId, ruling);
    return ruling;
  }
}
