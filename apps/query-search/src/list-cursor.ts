import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { Sort, TicketFilters } from '#contracts';
import { isPosition, type Position } from './list-order.js';

/** What a cursor belongs to: anything else refuses it. */
export interface CursorScope {
  orgId: string;
  sort: Sort;
  filters: TicketFilters;
}

/** Makes and reads the opaque cursors of lists. Each is signed together with what it belongs to, so none can be made up or moved elsewhere. */
export class ListCursors {
  private readonly key: KeyObject;

  /** @param secret the services' common key; the cursors' own is derived from it */
  constructor(secret: string) {
    this.key = createSecretKey(createHmac('sha256', secret).update('list cursors').digest());
  }

  write(scope: CursorScope, position: Position): string {
    const content = Buffer.from(JSON.stringify(position)).toString('base64url');
    return `${content}.${this.sign(scope, content)}`;
  }

  /** Undefined when it is none of ours, or of another organisation, sort or filter. */
  read(scope: CursorScope, cursor: string): Position | undefined {
    const content = cursor.split('.', 1)[0]!;
    const given = Buffer.from(cursor);
    const right = Buffer.from(`${content}.${this.sign(scope, content)}`);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const position: unknown = JSON.parse(Buffer.from(content, 'base64url').toString());
    return isPosition(scope.sort, position) ? position : undefined;
  }

  private sign({ orgId, sort, filters }: CursorScope, content: string): string {
    const signed = JSON.stringify([orgId, sort, canonical(filters), content]);
    return createHmac('sha256', this.key).update(signed).digest().subarray(0, 18).toString('base64url');
  }
}

/** The same filters in another order are the same filters. */
const canonical = (filters: TicketFilters) =>
  Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, Array.isArray(value) ? [...value].sort() : value])
    .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1));
