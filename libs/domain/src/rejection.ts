import type { RejectionName, ValidationError } from '#contracts';

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

/** The no to a command whose data no ticket can take. */
export const invalid = (detail: string, error: ValidationError) => new Rejection('validation-failed', detail, { errors: [error] });
