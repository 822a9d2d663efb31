/** What a loop does, and how often it looks for it. */
export interface Work {
  /** Does what is to be done next; answers whether there was anything. */
  next: () => Promise<boolean>;
  /** How long it rests where there was nothing and nobody wakes it: other processes wake theirs, and clocks go on, ms. */
  pauseMs: number;
  /** Told of what `next` throws; the loop goes on after `troubledMs`. */
  onTrouble: (error: unknown) => void;
  troubledMs: number;
}

/** Works as long as there is something to do, then rests until it is woken or some time has passed. */
export class WorkLoop {
  private isStopping = false;
  private isWoken = false;
  private endRest: () => void = () => undefined;
  private working: Promise<void> = Promise.resolve();

  constructor(private readonly work: Work) {}

  start(): void {
    this.working = this.go();
  }

  /** There is something to do. */
  wake(): void {
    this.isWoken = true;
    this.endRest();
  }

  /** Resolves once what is under way is done. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.endRest();
    await this.working;
  }

  private async go(): Promise<void> {
    while (!this.isStopping) {
      this.isWoken = false;
      const pause = await this.work.next().then((isDone) => (isDone ? 0 : this.work.pauseMs), (error: unknown) => this.trouble(error));
      if (pause > 0 && !this.isWoken && !this.isStopping) await this.rest(pause);
    }
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private trouble(error: unknown): number {
    this.work.onTrouble(error);
    return this.work.troubledMs;
  }
}
