import autocannon, { type Request } from 'autocannon';

/** What a load saw. */
export interface LoadResult {
  /** Answers with a 2xx status other than 202, a second: those whose outcome is known. */
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that are not an outcome: 202, errors, timeouts. */
  others: number;
}

export interface Load {
  url: string;
  connections: number;
  seconds: number;
  /** Requests that are sent in turn. */
  requests: Request[];
  /** Requests a second over all connections; as many as it takes when absent. */
  rate?: number;
}

/** Sends requests for a while and counts the answers. */
export async function load({ url, connections, seconds, requests, rate }: Load): Promise<LoadResult> {
  const result = await autocannon({ url, connections, duration: seconds, requests, timeout: 20, ...(rate && { overallRate: rate }) });
  const pending = result.statusCodeStats['202']?.count ?? 0;
  return {
    perSecond: (result['2xx'] - pending) / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    others: pending + result.non2xx + result.errors + result.timeouts,
  };
}

export const median = (values: readonly number[]) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
