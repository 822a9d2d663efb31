import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/**
 * Reads `+pid` and `-pid` lines. When its input ends, the process that held the leash is gone, however it died: what is still
 * held is asked to stop, and killed after four seconds. Each is a process group of its own, hence the minus.
 */
const watcher = `
trap '' INT TERM HUP
held=' '
while read -r line; do
  pid=\${line#?}
  case $line in
    +*) held="$held$pid " ;;
    -*) case $held in *" $pid "*) held="\${held%%" $pid "*} \${held#*" $pid "}" ;; esac ;;
  esac
done
for pid in $held; do kill -TERM -"$pid" 2>/dev/null; done
tries=0
while [ $tries -lt 20 ]; do
  living=
  for pid in $held; do kill -0 -"$pid" 2>/dev/null && living=1; done
  [ -z "$living" ] && exit 0
  sleep 0.2
  tries=$((tries + 1))
done
for pid in $held; do kill -KILL -"$pid" 2>/dev/null; done
`;

/** The child tells the watcher of itself before it becomes the program, so no death of ours can come in between. */
const register = 'echo "+$$" >&3; exec "$@" 3>&-';

/** What to start under a leash. */
export interface LeashedProgram {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
}

/** A child whose two outputs are pipes. */
export type LeashedProcess = ChildProcess & { stdout: Readable; stderr: Readable };

/**
 * Starts processes that do not outlive this one: when it dies, even by SIGKILL, they are stopped within 5 s by a
 * small watcher process. They run in sessions of their own, so a Ctrl-C in the terminal does not reach them directly.
 */
export class Leash {
  readonly #held = new Set<number>();
  #watcher: ChildProcess;

  constructor() {
    this.#watcher = this.#watch();
  }

  /** Process id of the watcher. It lives until nothing is held any more. */
  get pid(): number | undefined {
    return this.#watcher.pid;
  }

  /** Starts a program. Errors of the start come as the child's `error` event. */
  spawn({ command, args, env, cwd }: LeashedProgram): LeashedProcess {
    const stdio = ['ignore', 'pipe', 'pipe', this.#watcher.stdin!] as const;
    const child = spawn('/bin/sh', ['-c', register, 'sh', command, ...args], { env, cwd, detached: true, stdio: [...stdio] });
    const { pid } = child;
    if (pid !== undefined) {
      this.#held.add(pid);
      child.once('exit', () => this.#letGo(pid));
    }
    return child as LeashedProcess;
  }

  #letGo(pid: number) {
    this.#held.delete(pid);
    this.#watcher.stdin?.write(`-${pid}\n`);
  }

  /** A watcher that is killed is replaced by one that knows what is held. */
  #watch(): ChildProcess {
    const watcherProcess = spawn('/bin/sh', ['-c', watcher], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
    watcherProcess.stdin.on('error', () => {}); // a watcher that just died; its exit is answered below
    for (const pid of this.#held) watcherProcess.stdin.write(`+${pid}\n`);
    watcherProcess.once('exit', () => {
      this.#watcher = this.#watch();
    });
    watcherProcess.unref();
    (watcherProcess.stdin as Socket).unref();
    return watcherProcess;
  }
}
