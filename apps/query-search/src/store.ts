/** The service's own database. */
export const STORE = Symbol('store');
/** Names of the collections that a part of a read model works on: those of its generation. */
export const COLLECTIONS = Symbol('collections');
/** A function that tells the shape of a generation's documents: see `shape.ts`; undefined when it is not known. */
export const SHAPE = Symbol('shape');
