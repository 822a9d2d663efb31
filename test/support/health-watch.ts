import { setTimeout as delay } from 'node:timers/promises';

/** What a service said of itself while it was watched. */
export interface HealthWatch {
  /** Statuses of `/health/ready` and `/health/live`, each as often as it was given in a row: once. 0 stands for no answer. */
  readonly ready: number[];
  readonly live: number[];
  stop(): Promise<void>;
}

/** Asks a service every 50 ms whether it is ready and whether it lives. */
export function watchHealth(managementUrl: string): HealthWatch {
  const ready: number[] = [];
  const live: number[] = [];
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      const [one, other] = await Promise.all([statusOf(`${managementUrl}/health/ready`), statusOf(`${managementUrl}/health/live`)]);
      if (ready.at(-1) !== one) ready.push(one);
      if (live.at(-1) !== other) live.push(other);
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

const statusOf = (url: string) =>
  fetch(url, { signal: AbortSignal.timeout(30_000) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    () => 0,
  );
