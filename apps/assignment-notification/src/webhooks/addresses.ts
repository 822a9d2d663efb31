import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

/** What was found may be believed so long, ms: one look-up for deliveries that go out together. */
const believedMs = 1_000;

/** Unicast addresses that the world gives out: 2000::/3. What tunnels or maps other addresses lies elsewhere, or is told by its range. */
const global = ipaddr.IPv6.parse('2000::');

/** An address that nobody outside may have us connect to. */
export class ForbiddenAddress extends Error {}

/** Whether an address belongs to the internet and is no way to one that does not: private, loopback, link-local, shared, multicast, mapped, tunnelled and reserved ones are none. */
export function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address);
  return parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || (parsed as ipaddr.IPv6).match(global, 3));
}

const isLoopback = (address: string) => ipaddr.process(address).range() === 'loopback';

/** A host of a URL without the brackets of IPv6. URLs have decimal, octal and hexadecimal IPv4 in its usual form by then. */
export const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '');

const isOwnMachine = (host: string) => host === 'localhost' || (isIP(host) !== 0 && isLoopback(host));

/** Finds where hosts are, and lets only what may be connected to through. Asks name servers itself: the system's look-up has few threads, which dead names would hold. */
export class Addresses {
  private readonly resolver = new Resolver({ timeout: 2_000, tries: 2 });
  private readonly found = new LRUCache<string, Promise<LookupAddress[]>>({ max: 1_000, ttl: believedMs });

  constructor(private readonly settings: { allowLoopback: boolean; dnsServers?: readonly string[] | undefined }) {
    if (settings.dnsServers) this.resolver.setServers(settings.dnsServers);
  }

  /** For connections: they go where was looked, and nowhere else. */
  readonly lookup: LookupFunction = (host, { all }, done) => {
    this.of(host).then(
      (addresses) => (all ? done(null, addresses) : done(null, addresses[0]!.address, addresses[0]!.family)),
      (error: unknown) => done(error as Error, []),
    );
  };

  /** Whether anything may be sent to a URL without encryption. */
  mayBePlain(url: URL): boolean {
    return this.settings.allowLoopback && isOwnMachine(hostOf(url));
  }

  /** False for a host that is an address which must not be connected to, or stands for one. What names stand for changes. */
  mayBeAt(host: string): boolean {
    if (host === 'localhost') return this.settings.allowLoopback;
    return isIP(host) === 0 || this.isAllowed(host, host);
  }

  /** Every address of a host. @throws ForbiddenAddress where one of them must not be connected to; what name servers say */
  of(host: string): Promise<LookupAddress[]> {
    const known = this.found.get(host);
    if (known !== undefined) return known;
    const finding = this.find(host);
    this.found.set(host, finding);
    finding.catch(() => this.found.delete(host));
    return finding;
  }

  private async find(host: string): Promise<LookupAddress[]> {
    const addresses = await this.resolve(host);
    if (addresses.every(({ address }) => this.isAllowed(host, address))) return addresses;
    throw new ForbiddenAddress(`${host} is not at a public address`);
  }

  /** The machine's own address is reached by its own name only: a name of somebody else's that leads there is no mistake. */
  private isAllowed(host: string, address: string): boolean {
    return isPublic(address) || (this.settings.allowLoopback && isOwnMachine(host) && isLoopback(address));
  }

  private async resolve(host: string): Promise<LookupAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    if (host === 'localhost') return [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }];
    const [four, six] = await Promise.allSettled([this.resolver.resolve4(host), this.resolver.resolve6(host)]);
    const addresses = [four, six].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])).map((address) => ({ address, family: isIP(address) }));
    if (addresses.length === 0) throw (four as PromiseRejectedResult).reason ?? new Error(`${host} has no address`);
    return addresses;
  }
}
