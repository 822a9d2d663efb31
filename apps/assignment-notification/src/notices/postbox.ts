import { Injectable } from '@nestjs/common';
import type { Claim } from '../deliveries/delivery.js';
import { NoticeStore, type StoredNotice } from './notices.store.js';

/** Name of the channel by which notices are mailed. */
export const noticeMail = 'notice-mail';

/** What a digest waits for after its hour: notices that are being stored as it ends, ms. */
const graceMs = 4_000;
const hourMs = 3_600_000;

/** What a delivery of the channel is about. */
export type Posted = { notice: string } | { digest: string; memberId: string };

/** Decides with which mail a notice goes: each goes with one. */
@Injectable()
export class Postbox {
  constructor(private readonly notices: NoticeStore) {}

  /** The mail that tells somebody what came in an hour: there is one for each of them, whoever claims it. */
  digestOf(orgId: string, memberId: string, { to }: { to: Date }): string {
    return `notice-digest/${orgId}/${memberId}/${to.toISOString()}`;
  }

  /** Claims of what is to be mailed and was not. @throws StoreFault */
  async claims(notices: readonly StoredNotice[]): Promise<Claim[]> {
    const claims = await Promise.all(notices.filter(({ mailedFor, mailedAt }) => mailedFor !== null && mailedAt === null).map((notice) => this.claimOf(notice)));
    return [...new Map(claims.map((claim) => [claim.id, claim])).values()];
  }

  private async claimOf(notice: StoredNotice): Promise<Claim> {
    const { _id, orgId, memberId, kind, at } = notice;
    // Each of them is a target of their own: who is told very much delays nobody else.
    const target = `${noticeMail}:${orgId}/${memberId}`;
    if (notice.digest === null) return { id: `${noticeMail}/${_id}`, orgId, target, queue: memberId, seq: Date.parse(at), content: JSON.stringify({ notice: _id } satisfies Posted), about: { to: memberId, kind } };
    const digest = await this.inTime(notice);
    const to = endOf(digest);
    const notBefore = new Date(to + graceMs);
    return { id: digest, orgId, target, queue: `${memberId}/digest`, seq: to, content: JSON.stringify({ digest, memberId } satisfies Posted), about: { to: memberId, kind: 'digest' }, notBefore };
  }

  /** The digest that a notice goes with: whoever stored it may have died before it was claimed, and the hour may be over. */
  private async inTime(notice: StoredNotice): Promise<string> {
    const digest = notice.digest!;
    const late = Date.now() - (endOf(digest) + graceMs / 2);
    if (late < 0) return digest;
    const later = this.digestOf(notice.orgId, notice.memberId, { to: new Date(endOf(digest) + Math.ceil((late + 1) / hourMs) * hourMs) });
    await this.notices.putOff(notice, later);
    return later;
  }
}

const endOf = (digest: string) => Date.parse(digest.slice(digest.lastIndexOf('/') + 1));
