import { ProblemError } from '#observability';

/** The answer when a part of the system that is needed cannot be reached; the caller may try again soon. */
export const unavailable = (detail: string, cause?: unknown) => Object.assign(new ProblemError('dependency-unavailable', detail, {}, { 'retry-after': '2' }), { cause });
