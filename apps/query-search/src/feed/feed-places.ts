import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** A place in an organisation's feed: behind so many entries of a block. */
export interface Place {
  block: number;
  entry: number;
}

/** Where a feed begins. */
export const start: Place = { block: 0, entry: 0 };

/** Makes and reads the opaque places of feeds. Each is signed for its organisation, so none can be made up or used elsewhere. */
export class FeedPlaces {
  private readonly key: KeyObject;

  /** @param secret the services' common key; the places' own is derived from it */
  constructor(secret: string) {
    this.key = createSecretKey(createHmac('sha256', secret).update('feed places').digest());
  }

  write(orgId: string, { block, entry }: Place): string {
    const content = `${block}.${entry}`;
    return `${content}.${this.sign(orgId, content)}`;
  }

  /** Undefined when it is none of ours, or of another organisation. `0` is the start. */
  read(orgId: string, text: string): Place | undefined {
    if (text === '0') return start;
    const [, block, entry] = /^(\d{1,15})\.(\d{1,3})\.[\w-]{16}$/.exec(text) ?? [];
    if (block === undefined) return undefined;
    const right = Buffer.from(this.write(orgId, { block: Number(block), entry: Number(entry) }));
    const given = Buffer.from(text);
    return given.length === right.length && timingSafeEqual(given, right) ? { block: Number(block), entry: Number(entry) } : undefined;
  }

  private sign(orgId: string, content: string): string {
    return createHmac('sha256', this.key).update(`${orgId}/${content}`).digest().subarray(0, 12).toString('base64url');
  }
}
