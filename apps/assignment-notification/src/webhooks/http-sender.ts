import { Agent } from 'undici';
import { type Addresses, ForbiddenAddress, hostOf } from './addresses.js';

/** Of an answer so much is read, bytes. */
const mostRead = 64 * 1024;

/** What was answered. */
export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Posts to addresses of others. Follows nothing that they say, and reads no more than a little. */
export class HttpSender {
  private readonly agent: Agent;

  constructor(private readonly addresses: Addresses) {
    // Connections are not limited for a host: webhooks that share one must not wait for each other.
    this.agent = new Agent({ connect: { lookup: addresses.lookup, timeout: 10_000 }, keepAliveTimeout: 4_000, keepAliveMaxTimeout: 30_000, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** @param signal ends it, whatever it is at @throws ForbiddenAddress; why there was no answer */
  async post(url: URL, { headers, body, signal }: { headers: Record<string, string>; body: string; signal: AbortSignal }): Promise<HttpAnswer> {
    if (url.protocol !== 'https:' && !this.addresses.mayBePlain(url)) throw new ForbiddenAddress('only https is used');
    // Of a host that is an address nobody asks `lookup`, and a connection that is there was looked up before.
    await unlessAborted(signal, this.addresses.of(hostOf(url)));
    const answer = await this.agent.request({ origin: url.origin, path: `${url.pathname}${url.search}`, method: 'POST', headers, body, signal });
    return { status: answer.statusCode, headers: answer.headers, text: await someOf(answer.body) };
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

/** The beginning of an answer. Of one that is longer the connection is broken off. */
async function someOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= mostRead) break;
  }
  return Buffer.concat(chunks).subarray(0, mostRead).toString('utf8');
}

const unlessAborted = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
