import { nameOf, parentOf } from '../processes/process-mark.js';

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'fish']);

/**
 * Calls back once when the `npm` that started this process is gone: killed, it leaves its children behind, and nobody would be
 * there to stop them. npm may have a shell between itself and us. Does nothing when npm did not start us.
 */
export function whenNpmIsGone(onGone: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const links = linksToNpm();
  const timer = setInterval(() => {
    if (links.every(({ child, parent }) => parentOf(child) === parent)) return;
    clearInterval(timer);
    onGone();
  }, 500);
  timer.unref();
}

/** Each process from here up to npm with its parent. A process whose parent dies gets another one. */
function linksToNpm(): { child: number; parent: number | undefined }[] {
  const links = [{ child: process.pid, parent: parentOf(process.pid) }];
  const shell = process.ppid;
  if (shells.has(nameOf(shell) ?? '')) links.push({ child: shell, parent: parentOf(shell) });
  return links;
}
