/** So long others wait for a read to end, ms: behind a slow one they begin their own. */
const patienceMs = 100;

interface Running<T> {
  beganAt: number;
  /** Resolves when it has ended, well or not. */
  ended: Promise<void>;
  /** Begins then, for all who have asked meanwhile. */
  next?: Promise<T>;
}

/**
 * Reads that several ask for at the same time, as all do whose lists are open when news arrives: one at a time, and the next one for everybody who has asked meanwhile. What is read
 * began after it was asked for: nobody is told less than a read of their own would have told.
 */
export class SharedReads<T> {
  private readonly running = new Map<string, Running<T>>();

  /** @param name the same for whoever is to be told the same */
  read(name: string, read: () => Promise<T>): Promise<T> {
    const running = this.running.get(name);
    const waitMs = running ? running.beganAt + patienceMs - performance.now() : 0;
    if (!running || waitMs <= 0) return this.begin(name, read);
    return (running.next ??= endedOrLate(running.ended, waitMs).then(() => this.begin(name, read)));
  }

  private begin(name: string, read: () => Promise<T>): Promise<T> {
    const reading = read();
    const one: Running<T> = { beganAt: performance.now(), ended: reading.then(ignored, ignored) };
    this.running.set(name, one);
    void one.ended.then(() => this.running.get(name) === one && !one.next && this.running.delete(name));
    return reading;
  }
}

const ignored = () => undefined;

function endedOrLate(ended: Promise<void>, waitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = setTimeout(resolve, waitMs);
  void ended.then(() => {
    clearTimeout(late);
    resolve();
  });
  return promise;
}
