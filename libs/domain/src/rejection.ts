import type { RejectionName } from '#contracts';

/** A command's no. It is an answer, not a failure: it is stored and told, never retried. */
export class Rejection extends Error {
  /**
   * @param code name of the problem (contract section 5)
   * @param detail what a person reads
   * @param extra members of the problem of its own, such as `from`, `to` and `allowed`
   */
  constructor(
    readonly code: RejectionName,
    detail: string,
    readonly extra: Record<string, unknown> = {},
  ) {
    super(detail);
    this.name = 'Rejection';
  }
}
