import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';

const program = fileURLToPath(new URL('../../rebuild.js', import.meta.url));
/** What it says of its progress is logged so often, ms. */
const toldEveryMs = 30_000;
/** How long it may take to stop, ms: a service has 30 s in all. */
const patienceMs = 15_000;

/**
 * Builds the read model anew in a process of its own, which has a processor and memory of its own, beside a service that answers. It ends with the service, however that ends.
 * @returns whether it has switched
 */
export async function rebuildBeside(signal: AbortSignal): Promise<boolean> {
  const logger = new Logger('rebuild');
  const child = fork(program, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let [last, toldAt] = ['', performance.now()];
  const tell = () => {
    if (last !== '') logger.log({ msg: last });
    [last, toldAt] = ['', performance.now()];
  };
  const lines = createInterface({ input: child.stderr! });
  lines.on('line', (line) => {
    last = line;
    if (performance.now() - toldAt >= toldEveryMs) tell();
  });
  const stop = () => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), patienceMs).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code === 0;
  } catch (err) {
    logger.error({ msg: 'the program that builds the read model cannot be started', err });
    return false;
  } finally {
    tell();
    signal.removeEventListener('abort', stop);
  }
}
