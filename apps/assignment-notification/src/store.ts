/** The service's own database. */
export const STORE = Symbol('store');
