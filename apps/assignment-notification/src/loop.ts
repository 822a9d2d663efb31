/** How long a loop rests, ms: where there is nothing to do, and after trouble. */
export interface Pauses {
  idleMs: number;
  troubledMs: number;
}

/** Does something again and again, until it is stopped: at once where there may be more, else after a rest from which it can be woken. */
export class Loop {
  private isStopping = false;
  private isWoken = false;
  private wakeUp: () => void = () => undefined;
  private working: Promise<void> = Promise.resolve();

  /**
   * @param step answers whether there may be more
   * @param trouble hears what a step throws; then it rests
   */
  constructor(
    private readonly step: () => Promise<boolean>,
    private readonly trouble: (error: unknown) => void,
    private readonly pauses: Pauses,
  ) {}

  start(): void {
    this.working = this.work();
  }

  /** Ends a rest; a step that is under way is followed by another one. */
  wake(): void {
    this.isWoken = true;
    this.wakeUp();
  }

  /** Resolves when the step that is under way is done. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.wakeUp();
    await this.working;
  }

  private async work(): Promise<void> {
    while (!this.isStopping) {
      this.isWoken = false;
      const pause = await this.next();
      if (pause > 0 && !this.isWoken && !this.isStopping) await this.rest(pause);
    }
  }

  private async next(): Promise<number> {
    try {
      return (await this.step()) ? 0 : this.pauses.idleMs;
    } catch (error) {
      this.trouble(error);
      return this.pauses.troubledMs;
    }
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
