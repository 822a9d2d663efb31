import { ProblemError } from '#observability';

/** The answer to who is nobody. Whatever is wrong with a token that was sent, the answer is the same: it tells a stranger nothing. */
export const unauthenticated = (detail = 'The token is not valid.') => new ProblemError('unauthenticated', detail, {}, { 'www-authenticate': 'Bearer' });
