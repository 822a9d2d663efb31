/** Signals that reach a process twice (from the terminal and through npm) arrive within this time. */
const sameWishMs = 1_000;

/** The wish to stop. */
export interface StopWish {
  /** Resolves at the first wish, with what asked for it. */
  asked: Promise<string>;
  /** Aborted at the second one. */
  hurry: AbortSignal;
  /** Asks as a signal would. */
  ask(reason: string): void;
}

/** Listens to the signals that mean stop. */
export function listenForStop(): StopWish {
  const hurry = new AbortController();
  const first = Promise.withResolvers<string>();
  let askedAt: number | undefined;
  const ask = (reason: string) => {
    if (askedAt !== undefined && Date.now() - askedAt > sameWishMs) hurry.abort();
    askedAt ??= Date.now();
    first.resolve(reason);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal));
  return { asked: first.promise, hurry: hurry.signal, ask };
}
