/** Readers wait for a second; what came within this, ms, came while they waited, whatever else the machine does. */
const inTimeMs = 700;

/** Somebody asks for what is not there yet, and it comes. */
export interface Awaited<T> {
  ask: () => Promise<T>;
  come: () => Promise<unknown>;
}

/** What they are told who wait. Where it took too long to come, as on a slow machine, that says nothing: then all of it is begun anew. */
export async function awaited<T>(begin: () => Awaited<T> | Promise<Awaited<T>>): Promise<T> {
  for (;;) {
    const { ask, come } = await begin();
    const startedAt = performance.now();
    const asking = ask();
    await come();
    const isInTime = performance.now() - startedAt < inTimeMs;
    const told = await asking;
    if (isInTime) return told;
  }
}
