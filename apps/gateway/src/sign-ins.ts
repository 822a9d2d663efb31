import { Logger } from '@nestjs/common';
import { directoryKey } from '#contracts';
import type { Roster } from '#domain';
import type { Directory } from './directory.js';
import { isSamePerson, signedIn } from './directory.policy.js';
import type { DirectoryStore } from './directory.store.js';
import { inTime } from './in-time.js';
import type { Identity } from './token-verifier.js';

const againMs = 1_000;
/** People who wait to be put down; whoever comes on top of them is noted when their token is looked at again, in a minute. */
const maxWaiting = 10_000;
/** How long a request that wants to see itself in the directory waits, ms. */
const patienceMs = 1_000;

/**
 * Puts people into the directory when they sign in, and what their sign-in says anew of them: apart from their requests, which never wait for it and are never
 * refused because of it. What waits when the process dies is noted by the next request of that person, wherever it comes.
 */
export class SignIns {
  private readonly logger = new Logger('sign-ins');
  private readonly waiting = new Map<string, Identity>();
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;

  constructor(
    private readonly store: Pick<DirectoryStore, 'edit'>,
    private readonly directory: Pick<Directory, 'renew'>,
  ) {}

  /** Puts down who waits, at once, and again every second who could not be. Before it people only wait: the directory may not have its first content yet. */
  start(): void {
    this.timer ??= setInterval(() => this.look(), againMs);
    this.timer.unref();
    this.look();
  }

  /** Tries once more, and no longer. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.working;
    this.look();
    await this.working;
    this.timer = undefined;
  }

  /** Remembers a sign-in, unless the roster knows all that it says. */
  note(identity: Identity, roster: Roster): void {
    const known = roster.member(identity.id);
    if (known !== undefined && isSamePerson(known, identity)) return;
    const key = keyOf(identity);
    const before = this.waiting.get(key);
    if (before === undefined && this.waiting.size >= maxWaiting) return;
    if (before === undefined || before.issuedAt <= identity.issuedAt) this.waiting.set(key, identity);
    this.look();
  }

  /** Waits a moment until those who were noted are in the directory. */
  async settled(): Promise<void> {
    await inTime(this.working ?? Promise.resolve(), patienceMs).catch(() => undefined);
  }

  private look() {
    if (this.timer === undefined || this.waiting.size === 0) return;
    this.working ??= this.work()
      .catch((error: unknown) => this.logger.warn({ msg: 'people are not in the directory yet', err: error }))
      .finally(() => (this.working = undefined));
  }

  private async work() {
    for (const [key, identity] of this.waiting) {
      try {
        await this.putDown(identity);
      } catch (error) {
        this.waiting.delete(key);
        this.waiting.set(key, identity); // behind the others: it may be this one that cannot be put down
        throw error;
      }
      if (this.waiting.get(key) === identity) this.waiting.delete(key);
    }
  }

  private async putDown(identity: Identity) {
    const { orgId, id } = identity;
    const { outcome } = await this.store.edit({ orgId, kind: 'member', id }, signedIn(identity));
    if (outcome !== 'older') this.directory.renew(orgId);
  }
}

const keyOf = ({ orgId, id }: Identity) => directoryKey({ orgId, kind: 'member', id });
