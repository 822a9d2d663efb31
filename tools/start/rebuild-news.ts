import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Terminal } from './terminal.js';

/** What query-search's readiness says while it has its read model built anew. */
const Rebuilding = z.object({ rebuild: z.object({ label: z.string(), done: z.number(), total: z.number() }) });
type Rebuild = z.infer<typeof Rebuilding>['rebuild'];

const lookMs = 2_000;

/** Who is asked, and where it is told. */
export interface RebuildNewsParts {
  readyUrl: string;
  terminal: Terminal;
}

/** Tells, until it is stopped, when query-search has its read model built anew after an update, how far that is, and when it is done. */
export function tellOfRebuilds({ readyUrl, terminal }: RebuildNewsParts): { stop(): void } {
  const stopping = new AbortController();
  void follow({ readyUrl, terminal }, stopping.signal);
  return { stop: () => stopping.abort() };
}

async function follow({ readyUrl, terminal }: RebuildNewsParts, signal: AbortSignal): Promise<void> {
  let told: string | undefined;
  while (!signal.aborted) {
    const answer = await look(readyUrl);
    if (answer !== undefined && !signal.aborted) {
      const news = answer.rebuild && stepOf(answer.rebuild);
      if (news !== told) terminal.tell('query-search', news ?? 'the read model was built anew');
      told = news;
    }
    await delay(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** Undefined where there is no answer that tells anything. */
async function look(readyUrl: string): Promise<{ rebuild?: Rebuild } | undefined> {
  try {
    const response = await fetch(readyUrl, { signal: AbortSignal.timeout(5_000) });
    const { data } = Rebuilding.safeParse(await response.json());
    return data ?? (response.ok ? {} : undefined);
  } catch {
    return undefined;
  }
}

/** In tenths: whoever reads it wants to know that it goes on, not every step. */
function stepOf({ label, done, total }: Rebuild): string {
  const share = total > 0 ? `, ${10 * Math.floor((10 * done) / total)} %` : '';
  return `the read model is of an older version and is built anew (${label}${share}); lists answer meanwhile`;
}
