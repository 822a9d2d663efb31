/** Addresses of the brokers. */
export const BROKERS = Symbol('brokers');
