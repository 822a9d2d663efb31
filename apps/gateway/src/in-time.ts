import { StoreFault } from '#persistence';

/** What an operation of the store gives, unless it takes longer than `ms`: a server that hangs must not hang a request. @throws StoreFault */
export async function inTime<T>(operation: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new StoreFault(new Error(`no answer within ${ms} ms`))), ms)));
  try {
    return await Promise.race([operation, late]);
  } finally {
    clearTimeout(timer);
  }
}
