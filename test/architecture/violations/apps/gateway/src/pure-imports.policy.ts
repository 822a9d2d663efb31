import { createHash } from 'node:crypto';

export const shard = (org: string) => createHash('md5').update(org).digest('hex').slice(0, 2);
