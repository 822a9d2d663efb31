import type { door } from '#observability';
export type Door = typeof door;
