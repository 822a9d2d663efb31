import { onFreePorts } from './ports.js';
import type { Kind, Server, Surroundings } from './server.js';
import { type Program, ServerProcess } from './server-process.js';

/** A program that runs on ports of its own. */
export interface Started {
  readonly ports: readonly number[];
  readonly pids: number[];
  stop(): Promise<void>;
}

/** Starts a program on free ports; `programOn` is asked again when somebody else was quicker to take one. */
export async function startOnFreePorts(
  count: number,
  around: Surroundings,
  programOn: (...ports: number[]) => Program | Promise<Program>,
): Promise<Started> {
  const { value, ports } = await onFreePorts(count, async (numbers) => {
    const program = await programOn(...numbers);
    around.say(program.name, `starts on port ${numbers[0]}`);
    const started = new ServerProcess(program, around);
    await started.start();
    return started;
  });
  return {
    ports: ports.numbers,
    get pids() {
      return value.pids;
    },
    stop: async () => {
      await value.stop();
      await ports.release();
    },
  };
}

/** A server made of one or more programs, which are stopped in the order given. */
export function serverOf(kind: Kind, address: string, ...parts: readonly Started[]): Server {
  return {
    kind,
    address,
    get pids() {
      return parts.flatMap((part) => part.pids);
    },
    stop: async () => {
      for (const part of parts) await part.stop();
    },
  };
}
