import { LRUCache } from 'lru-cache';

/** Keeps what was used last, of very many things. It grows with them; an LRUCache with a `max` takes the room of all at once, 0.7 MB for 20,000 that end. */
export const keptLately = <V extends NonNullable<unknown>>(most: number, ttl?: number) => new LRUCache<string, V>({ maxSize: most, sizeCalculation: () => 1, ...(ttl !== undefined && { ttl }) });
