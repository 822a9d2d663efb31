import { Inject, Injectable } from '@nestjs/common';
import type { AssistantDelivery } from '#contracts';
import type { Database } from '#persistence';
import { Book } from '../book.store.js';
import { STORE } from '../store.js';

/** Where an assistant takes messages, and what they are signed with. */
export interface StoredDelivery extends AssistantDelivery {
  secret: string;
}

/** Delivery webhooks, by assistant. */
@Injectable()
export class DeliveryBook extends Book<StoredDelivery> {
  constructor(@Inject(STORE) store: Database) {
    super(store, 'assistant_delivery');
  }

  /** Undefined where an assistant has none. @throws StoreFault */
  async of(orgId: string, assistantId: string): Promise<StoredDelivery | undefined> {
    return (await this.rules(orgId)).find(({ id }) => id === assistantId);
  }
}
