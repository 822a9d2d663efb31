import { createHash } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A name held for this process. The kernel gives it up when the process is gone, however it went: a hold is never stale. */
export interface Hold {
  release(): Promise<void>;
}

/** The process that has the name. `gone` resolves when it gave the name up or died. */
export interface Holder {
  /** Process id, undefined when it did not say within a second (it may be stopped). */
  readonly pid: number | undefined;
  readonly gone: Promise<void>;
}

/** Takes the name for this process, or tells who has it. Never waits for a holder. */
export async function tryHold(name: string): Promise<{ hold: Hold } | { holder: Holder }> {
  const path = socketPath(name);
  for (;;) {
    const hold = await listen(path);
    if (hold) return { hold };
    const holder = await ask(path);
    if (holder) return { holder };
    forget(path);
  }
}

/** Takes the name as soon as it is free; `onWait` hears once who has it. Ends with the signal's reason when aborted. */
export async function holdWhenFree(name: string, onWait: (holder: Holder) => void, signal?: AbortSignal): Promise<Hold> {
  for (let told = false; ; told = true) {
    signal?.throwIfAborted();
    const answer = await tryHold(name);
    if ('hold' in answer) return answer.hold;
    if (!told) onWait(answer.holder);
    await Promise.race([answer.holder.gone, aborted(signal)]);
  }
}

function aborted(signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}

/** Linux has sockets without a file, which vanish with their process. Elsewhere a dead holder leaves a file that nobody answers on. */
function socketPath(name: string): string {
  const id = `deskstream-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  return process.platform === 'linux' ? `\0${id}` : join(tmpdir(), `${id}.sock`);
}

function forget(path: string): void {
  if (path.startsWith('\0')) return;
  try {
    unlinkSync(path);
  } catch {
    // Another process was quicker.
  }
}

function listen(path: string): Promise<Hold | undefined> {
  const waiters = new Set<Socket>();
  const server = createServer((waiter) => {
    waiters.add(waiter.unref());
    waiter.on('error', () => waiter.destroy()).on('close', () => waiters.delete(waiter));
    waiter.write(`${process.pid}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(path, () => resolve({ release: () => close(server.unref(), waiters) }));
    server.unref();
  });
}

function close(server: Server, waiters: Set<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const waiter of waiters) waiter.destroy();
  });
}

/** The holder behind the socket, undefined when there is none any more. */
function ask(path: string): Promise<Holder | undefined> {
  const socket = connect(path);
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return new Promise((resolve) => {
    socket.once('error', () => resolve(undefined));
    socket.once('data', (text) => resolve({ pid: Number(text.toString()), gone }));
    socket.once('connect', () => setTimeout(() => resolve({ pid: undefined, gone }), 1_000).unref());
    void gone.then(() => resolve(undefined));
  });
}
