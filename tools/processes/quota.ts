const windowMs = 10_000;
const linesPerWindow = 5;

/** Lets a few lines through in ten seconds and counts the rest, so that a service in trouble does not flood the terminal. */
export class Quota {
  #windowEnd = 0;
  #shown = 0;
  #hidden = 0;

  /** Whether a line may be shown at `now` (ms), and how many lines of the window before were not. */
  admit(now: number): { show: boolean; missed: number } {
    const missed = now >= this.#windowEnd ? this.#hidden : 0;
    if (now >= this.#windowEnd) [this.#windowEnd, this.#shown, this.#hidden] = [now + windowMs, 0, 0];
    const show = this.#shown < linesPerWindow;
    if (show) this.#shown++;
    else this.#hidden++;
    return { show, missed };
  }
}
