import type { ServerResponse } from 'node:http';
import { limits } from '#contracts';
import { ProblemError } from '#observability';

/** Bodies of more than an ordinary request that are read or held at once: what they need of memory is bounded, whoever sends them. */
export class LargeBodies {
  private held = 0;

  /** @param most how many there may be at once */
  constructor(private readonly most: number) {}

  /** Holds a place until the answer has been given, or its connection is gone. @param announced its Content-Length; without one it may be of any size @throws ProblemError overloaded where there is no place */
  admit(announced: string | undefined, answer: ServerResponse): void {
    if (announced !== undefined && Number(announced) <= limits.requestBytes) return;
    if (this.held >= this.most) throw new ProblemError('overloaded', 'Too many large mails come at once. Sending it again is safe.', {}, { 'retry-after': '5' });
    this.held += 1;
    answer.once('close', () => {
      this.held -= 1;
    });
  }
}
