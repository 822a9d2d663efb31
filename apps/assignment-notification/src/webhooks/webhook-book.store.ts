import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Webhook, WebhookInput } from '#contracts';
import type { Database } from '#persistence';
import { Book, type Edition } from '../book.store.js';
import { STORE } from '../store.js';

/** What deliveries are signed with. */
export interface StoredSecret {
  /** In base64. */
  key: string;
  createdAt: string;
  /** Null for the newest. */
  validUntil: string | null;
}

/** A webhook with its secrets, newest first. */
export interface StoredWebhook extends WebhookInput, Pick<Webhook, 'id' | 'createdAt' | 'updatedAt' | 'switchedOff'> {
  secrets: readonly StoredSecret[];
}

type Webhooks = ReadonlyMap<string, readonly StoredWebhook[]>;

/** The pause between looks is so many times as long as the last one took: a store that is busy is asked less often, for more who share the answer. */
const pauses = 4;
const longestPauseMs = 100;

/** Webhooks of organisations. Every event and every delivery asks for those of its organisation: what is known of them is kept in memory, and read again when it has changed. */
@Injectable()
export class WebhookBook extends Book<StoredWebhook> {
  private readonly known = new LRUCache<string, Edition<StoredWebhook>>({ max: 1_000 });
  private readonly askedFor = new Set<string>();
  private nextLook: Promise<Webhooks> | undefined;
  private pause: Promise<unknown> = Promise.resolve();

  constructor(@Inject(STORE) store: Database) {
    super(store, 'webhook');
  }

  /** Webhooks as they are now, by organisation. @throws StoreFault */
  async current(orgIds: readonly string[]): Promise<Webhooks> {
    const revisions = await this.revisions(orgIds);
    const found = await Promise.all([...revisions].map(async ([orgId, revision]) => {
      const known = this.known.get(orgId);
      const edition = known?.revision === revision ? known : await this.edition(orgId);
      this.known.set(orgId, edition);
      return [orgId, edition.rules] as const;
    }));
    return new Map(found);
  }

  /** A webhook as it is now: what was taken from it a moment ago is not sent to it. Undefined when there is none. @throws StoreFault */
  async one(orgId: string, id: string): Promise<StoredWebhook | undefined> {
    this.askedFor.add(orgId);
    this.nextLook ??= this.look();
    return (await this.nextLook).get(orgId)?.find((one) => one.id === id);
  }

  /** One look for all who ask before it begins: none is answered with what was there before they asked. */
  private async look(): Promise<Webhooks> {
    await this.pause;
    const orgIds = [...this.askedFor];
    this.askedFor.clear();
    this.nextLook = undefined;
    const begunAt = performance.now();
    const looking = this.current(orgIds);
    const rest = () => delay(Math.min(pauses * (performance.now() - begunAt), longestPauseMs));
    this.pause = looking.then(rest, rest);
    return looking;
  }
}
