import { look } from '#servers';

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'fish']);

/**
 * Calls back once when the `npm` that started this process is gone: killed, it leaves its children behind, and nobody would be
 * there to stop them. npm may have a shell between itself and us. Does nothing when npm did not start us.
 */
export function whenNpmIsGone(onGone: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const links = linksToNpm();
  const timer = setInterval(() => {
    if (links.every(({ child, parent }) => parentNow(child) === parent)) return;
    clearInterval(timer);
    onGone();
  }, 500);
  timer.unref();
}

const parentNow = (pid: number) => (pid === process.pid ? process.ppid : look(pid)?.parent);

/**
 * Each process from here up to npm with its parent. A process whose parent dies gets another one. Who our own parent was when we began is
 * in `STARTED_BY`: npm may have been killed while the rest was still being built.
 */
function linksToNpm(): { child: number; parent: number | undefined }[] {
  const startedBy = Number(process.env['STARTED_BY'] ?? process.ppid);
  const links: { child: number; parent: number | undefined }[] = [{ child: process.pid, parent: startedBy }];
  const above = look(startedBy);
  if (above && shells.has(above.name)) links.push({ child: startedBy, parent: above.parent });
  return links;
}
