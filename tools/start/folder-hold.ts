import { existsSync, realpathSync } from 'node:fs';
import { type Hold, holderOf, tryHold } from '#servers';

/** Thrown when another run has the folder. */
export class FolderInUse extends Error {
  constructor(pid: number | undefined) {
    super(`Deskstream is running here already (process ${pid ?? 'unknown: it does not answer'}).`);
  }
}

/** Takes a data folder, which is there, for this process until it ends, however it ends; throws `FolderInUse` while another process has it. */
export async function holdFolder(dataDir: string): Promise<Hold> {
  const answer = await tryHold(nameOf(dataDir));
  if ('holder' in answer) throw new FolderInUse(answer.holder.pid);
  return answer.hold;
}

/** The run that has a data folder; undefined when none has. */
export async function holderOfFolder(dataDir: string) {
  return existsSync(dataDir) ? holderOf(nameOf(dataDir)) : undefined;
}

/** The servers in the folder are held by another name: they may be open alone. */
const nameOf = (dataDir: string) => `run ${realpathSync(dataDir)}`;
