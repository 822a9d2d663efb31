import type { Principal } from '#contracts';
import type { Roster } from '#domain';
import type { Caller } from './caller.js';
import type { Directory } from './directory.js';
import type { Admission, Grant, KeyRing } from './key-ring.js';
import type { KeyUses } from './key-uses.js';
import { unauthenticated } from './unauthenticated.js';
import { unavailable } from './unavailable.js';

/** Lets agents in by their API keys: whoever shows one acts as its assistant, with the rights of its scopes. */
export class Agents {
  /** The principal made last of a key: as long as nothing changes, requests share one. */
  private readonly principals = new WeakMap<Grant, Principal>();

  constructor(
    private readonly keys: Pick<KeyRing, 'admit'>,
    private readonly directory: Directory,
    private readonly uses: Pick<KeyUses, 'note'>,
  ) {}

  /** Whose key this is; at once where nothing has to be fetched. @throws ProblemError 401, or 503 when nobody can tell; thrown or as a rejection */
  admit(token: string): Caller | Promise<Caller> {
    const admission = this.keys.admit(token);
    if (admission === null || admission instanceof Promise) return this.admitLater(admission);
    const roster = this.directory.roster(admission.grant.orgId);
    return roster instanceof Promise ? roster.then((found) => this.callerOf(admission, found)) : this.callerOf(admission, roster);
  }

  private async admitLater(pending: Promise<Admission | null> | null): Promise<Caller> {
    const admission = await pending;
    if (admission === null) throw unauthenticated();
    return this.callerOf(admission, await this.directory.roster(admission.grant.orgId));
  }

  private callerOf({ grant, until }: Admission, roster: Roster): Caller {
    // The directory may have let us wait for longer than the key counts without being looked at again.
    if (until <= Date.now()) throw unavailable('API keys cannot be checked right now.');
    const assistant = roster.assistants.find(({ id }) => id === grant.assistantId);
    if (assistant === undefined) throw unauthenticated(); // a key of nobody, until its assistant comes back
    this.uses.note(grant.keyId);
    return { principal: this.principalOf(grant, assistant.name), channel: 'agent', until };
  }

  private principalOf(grant: Grant, name: string): Principal {
    const known = this.principals.get(grant);
    if (known?.actor.name === name) return known;
    const { orgId, assistantId: id, scopes } = grant;
    const principal: Principal = { orgId, actor: { type: 'agent', id, name }, access: { assistantIds: [id], scopes } };
    this.principals.set(grant, principal);
    return principal;
  }
}
