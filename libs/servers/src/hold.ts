import { createHash } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A name held for this process. The kernel gives it up when the process is gone, however it went: a hold is never stale. */
export interface Hold {
  release(): Promise<void>;
}

/** The process that has the name. */
export interface Holder {
  /** Process id, undefined when it did not say within a second (it may be stopped). */
  readonly pid: number | undefined;
  /** Resolves when it gave the name up or died, or when the waiting is aborted. */
  gone(signal?: AbortSignal): Promise<void>;
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
    await delay(20);
  }
}

/** The process that has the name; undefined when none has. */
export function holderOf(name: string): Promise<Holder | undefined> {
  return ask(socketPath(name));
}

/** Takes the name as soon as it is free; `onWait` hears once who has it. Ends with the signal's reason when aborted. */
export async function holdWhenFree(name: string, onWait: (holder: Holder) => void, signal?: AbortSignal): Promise<Hold> {
  for (let told = false; ; told = true) {
    signal?.throwIfAborted();
    const answer = await tryHold(name);
    if ('hold' in answer) return answer.hold;
    if (!told) onWait(answer.holder);
    await answer.holder.gone(signal);
  }
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

/** The holder behind the socket, undefined when there is none any more. Keeps this process alive only while somebody waits. */
function ask(path: string): Promise<Holder | undefined> {
  const socket = connect(path).on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const gone = (signal?: AbortSignal) => {
    socket.ref();
    if (signal?.aborted) socket.destroy();
    signal?.addEventListener('abort', () => socket.destroy(), { once: true });
    return closed;
  };
  return new Promise((resolve) => {
    const answer = (pid?: number) => {
      socket.unref();
      resolve({ pid, gone });
    };
    socket.once('data', (text) => answer(Number(text.toString())));
    socket.once('connect', () => setTimeout(() => answer(), 1_000).unref());
    void closed.then(() => resolve(undefined));
  });
}
