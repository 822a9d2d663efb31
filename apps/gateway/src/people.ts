import type { Roster } from '#domain';
import type { Caller } from './caller.js';
import type { Directory } from './directory.js';
import { IssuerUnreachable } from './issuer-keys.js';
import type { SignIns } from './sign-ins.js';
import type { Identity, TokenVerifier } from './token-verifier.js';
import { unauthenticated } from './unauthenticated.js';
import { unavailable } from './unavailable.js';

interface PeopleParts {
  tokens: TokenVerifier;
  directory: Directory;
  signIns: Pick<SignIns, 'note'>;
}

/** Lets people in by their sign-ins. */
export class People {
  /** The caller made last of an identity: as long as nothing changes, requests share one. */
  private readonly callers = new WeakMap<Identity, { roster: Roster; caller: Caller }>();

  constructor(
    private readonly parts: PeopleParts,
    private readonly consoleClientId: string,
  ) {}

  /** Whose token this is, unless they were taken out since they signed in; at once where nothing has to be fetched. @throws ProblemError 401, or 503 when nobody can tell; thrown or as a rejection */
  admit(token: string): Caller | Promise<Caller> {
    const identity = this.parts.tokens.identify(token);
    if (identity === null || identity instanceof Promise) return this.admitLater(identity);
    const roster = this.parts.directory.roster(identity.orgId);
    return roster instanceof Promise ? roster.then((found) => this.callerOf(identity, found)) : this.callerOf(identity, roster);
  }

  private async admitLater(pending: Promise<Identity | null> | null): Promise<Caller> {
    const identity = await Promise.resolve(pending).catch(unlessReachable);
    if (identity === null) throw unauthenticated();
    return this.callerOf(identity, await this.parts.directory.roster(identity.orgId));
  }

  private callerOf(identity: Identity, roster: Roster): Caller {
    const known = this.callers.get(identity);
    if (known?.roster === roster) return known.caller;
    if (roster.hasLeft(identity.id, identity.issuedAt)) throw unauthenticated('You were taken out of the organisation since you signed in.');
    if (known === undefined) this.parts.signIns.note(identity, roster); // once for as long as a token is remembered
    const { orgId, id, name, email, role } = identity;
    const assistantIds = roster.assistantIdsOf(id);
    const isSame = known !== undefined && sameList(known.caller.principal.access.assistantIds, assistantIds);
    const principal = isSame ? known.caller.principal : { orgId, actor: { type: 'member' as const, id, name }, access: { role, assistantIds } };
    const caller: Caller = { principal, channel: identity.clientId === this.consoleClientId ? 'console' : 'api', email };
    this.callers.set(identity, { roster, caller });
    return caller;
  }
}

function unlessReachable(error: unknown): never {
  if (!(error instanceof IssuerUnreachable)) throw error;
  throw unavailable('Sign-ins cannot be checked right now.', error);
}

const sameList = (one: readonly string[], other: readonly string[]) => one.length === other.length && one.every((item, i) => item === other[i]);
