import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Thrown when another run has the folder. */
export class FolderInUse extends Error {
  constructor(readonly pid: number) {
    super(`Deskstream is running here already (process ${pid}).`);
  }
}

/**
 * Takes a data folder for this process until it ends, however it ends; throws `FolderInUse` while another process has it.
 * A listening socket is the hold: unlike a file with a process id it is never stale.
 */
export async function holdFolder(dataDir: string): Promise<{ release(): void }> {
  const path = socketOf(dataDir);
  for (;;) {
    const server = await listen(path);
    if (server) return { release: () => server.close() };
    const pid = await holderOf(path);
    if (pid !== undefined) throw new FolderInUse(pid);
    if (!path.startsWith('\0')) rmSync(path, { force: true });
  }
}

/** Process id of the run that has a data folder; undefined when none has. */
export async function holderOfFolder(dataDir: string): Promise<number | undefined> {
  return existsSync(dataDir) ? holderOf(socketOf(dataDir)) : undefined;
}

/** On Linux a name without a file, which goes with its process; elsewhere a file on which nobody answers any more is left behind. */
function socketOf(dataDir: string): string {
  const folder = realpathSync(dataDir);
  const id = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  return process.platform === 'linux' ? `\0deskstream-run-${id}` : join(folder, 'hold.sock');
}

function listen(path: string): Promise<Server | undefined> {
  const server = createServer((visitor) => {
    visitor.on('error', () => {});
    visitor.end(String(process.pid));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(path, () => resolve(server.unref()));
  });
}

/** Process id of the holder; undefined when it has just gone, 0 when it does not answer within 2 s (it may be stopped). */
async function holderOf(path: string): Promise<number | undefined> {
  const socket = connect(path);
  const answered = once(socket, 'data').then(([text]) => Number(String(text)));
  const gone = once(socket, 'close').then(() => undefined);
  const late = delay(2_000, 0, { ref: false });
  try {
    return await Promise.race([answered, gone, late]);
  } catch {
    return undefined;
  } finally {
    for (const outcome of [answered, gone]) outcome.catch(() => {});
    socket.destroy();
  }
}
