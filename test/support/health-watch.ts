import { setTimeout as delay } from 'node:timers/promises';
import type { HealthAnswer } from '#contracts';

/** What a service said of itself while it was watched. */
export interface HealthWatch {
  /** Statuses of `/health/ready` and `/health/live`, each as often as it was given in a row: once. 0 stands for no answer. */
  readonly ready: number[];
  readonly live: number[];
  stop(): Promise<void>;
}

/** Asks a service every 50 ms whether it is ready and whether it lives. What is not `meant` by who watches is passed over where it is not ready. */
export function watchHealth(managementUrl: string, meant: (checks: HealthAnswer['checks']) => boolean = () => true): HealthWatch {
  const ready: number[] = [];
  const live: number[] = [];
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      const [one, other] = await Promise.all([askedAt(`${managementUrl}/health/ready`), askedAt(`${managementUrl}/health/live`)]);
      const isPassedOver = one.status === 503 && !meant(one.checks);
      if (!isPassedOver && ready.at(-1) !== one.status) ready.push(one.status);
      if (live.at(-1) !== other.status) live.push(other.status);
      await delay(50);
    }
  };
  const watching = watch();
  return {
    ready,
    live,
    stop: async () => {
      isOver = true;
      await watching;
    },
  };
}

async function askedAt(url: string, isRepeat = false): Promise<{ status: number; checks: HealthAnswer['checks'] }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
    const text = await response.text();
    return { status: response.status, checks: response.status === 503 ? (JSON.parse(text) as HealthAnswer).checks : {} };
  } catch {
    return isRepeat ? { status: 0, checks: {} } : askedAt(url, true); // a kept connection that was closed while this process stood still says nothing
  }
}
