import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/** A log file that never grows beyond about twice its limit: when full it becomes `<file>.1` and a new one is begun. */
export class BoundedLog {
  #fd: number;
  #bytes: number;
  #isClosed = false;

  constructor(
    private readonly file: string,
    private readonly limitBytes = 5_000_000,
  ) {
    this.#fd = openSync(file, 'a');
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** Appends at once, so that nothing is missing after a crash. A full disk or a closed log loses the text, not the writer. */
  write(text: string | Uint8Array) {
    if (this.#isClosed) return;
    try {
      if (this.#bytes > this.limitBytes) this.#turn();
      this.#bytes += typeof text === 'string' ? writeSync(this.#fd, text) : writeSync(this.#fd, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  close() {
    this.#isClosed = true;
    closeSync(this.#fd);
  }

  #turn() {
    renameSync(this.file, `${this.file}.1`);
    closeSync(this.#fd);
    this.#fd = openSync(this.file, 'a');
    this.#bytes = 0;
  }
}
