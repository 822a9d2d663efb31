import { Pool } from 'undici';

/** Latencies of answers, ms. */
export interface Latencies {
  p50: number;
  p95: number;
  p99: number;
  perSecond: number;
  count: number;
  /** Answers that were no 200. */
  others: number;
}

/** Asks for these paths in turn, so many at once, for a while. */
export async function latencies(origin: string, { paths, headers, open = 8, seconds }: { paths: readonly string[]; headers: Record<string, string>; open?: number; seconds: number }): Promise<Latencies> {
  const pool = new Pool(origin, { connections: open });
  const times: number[] = [];
  let [others, next] = [0, 0];
  const startedAt = performance.now();
  const work = async () => {
    while (performance.now() - startedAt < seconds * 1_000) {
      const at = performance.now();
      const { statusCode, body } = await pool.request({ path: paths[next++ % paths.length]!, method: 'GET', headers });
      await body.dump();
      times.push(performance.now() - at);
      if (statusCode !== 200) others += 1;
    }
  };
  await Promise.all(Array.from({ length: open }, work));
  const took = (performance.now() - startedAt) / 1_000;
  await pool.close();
  times.sort((one, other) => one - other);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), perSecond: times.length / took, count: times.length, others };
}
