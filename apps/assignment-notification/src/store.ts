/** The service's own database. */
export const STORE = Symbol('store');

/** False for the error that a document of its key is there; throws any other. */
export function unlessThere(error: unknown): false {
  if ((error as { code?: unknown }).code === 11_000) return false;
  throw error;
}
