import { apiKeyPrefix } from '#contracts';

/** An address as logs may show it: what people search for is theirs, and keys are pasted anywhere by mistake. Parameters keep their names only. */
export function loggedUrl(url: string): string {
  const start = url.indexOf('?');
  const [path, query] = start < 0 ? [url, ''] : [url.slice(0, start), url.slice(start)];
  return path.replace(/dsk(?:_|%5f).*/i, `${apiKeyPrefix}…`) + query.replace(/=[^&]*/g, '=…').replace(/dsk(?:_|%5f)[^&=]*/gi, `${apiKeyPrefix}…`);
}
