import type { TicketCommand } from '#contracts';
import { recordsOf, instanceIn, type World } from './instance.js';

/** What befalls an instance at the nth moment of its round: it dies there, or store and broker fail it once. */
export interface Mishap {
  kind: 'dies' | 'fails';
  moment: number;
}

/** A stretch of time in which both instances have a round in hand. */
export interface Epoch {
  /** Which instance owns the partition; a stale one may still work on what it had fetched before. */
  owner: 0 | 1;
  staleToo: boolean;
  /** Records a round takes, by instance. */
  take: [number, number];
  /** How far before the committed offset a round begins: commits get lost, and groups hand out records again. */
  rewind: [number, number];
  mishap: [Mishap | undefined, Mishap | undefined];
}

/** Lets the other instance go first at every moment, or not: the tests decide. */
export type Turn = () => Promise<unknown>;

/** Two instances over one partition of commands, as a consumer group deals them out. */
export class Cluster {
  private committed = 0;
  private readonly members: ReturnType<Cluster['born']>[];

  constructor(
    private readonly world: World,
    private readonly commands: readonly TicketCommand[],
    private readonly turn: Turn,
    /** How many commits a look-up answers at most. */
    private readonly room = Infinity,
  ) {
    this.members = [this.born(), this.born()];
  }

  /** Both rounds at once; returns when each has ended, one way or another. */
  async live(epoch: Epoch): Promise<void> {
    const [own, stale] = [epoch.owner, (1 - epoch.owner) as 0 | 1];
    const [next] = await Promise.all([this.round(own, epoch), epoch.staleToo ? this.round(stale, epoch) : undefined]);
    if (next !== undefined) this.committed = Math.max(this.committed, next);
  }

  /** What is left, without trouble. */
  async finish(): Promise<void> {
    const calm = { owner: 0 as const, staleToo: false, rewind: [0, 0] as [number, number], mishap: [undefined, undefined] as [undefined, undefined] };
    while (this.committed < this.commands.length) await this.live({ ...calm, take: [7, 7] });
  }

  /** The offset to commit, if the round came to its end. */
  private async round(which: 0 | 1, { take, rewind, mishap }: Epoch): Promise<number | undefined> {
    const member = this.members[which]!;
    const from = Math.max(0, this.committed - rewind[which]);
    const records = recordsOf(this.commands).slice(from, this.committed + take[which]);
    if (records.length === 0) return undefined;
    const death = member.await(mishap[which]);
    const end = member.instance.handle(records).then(
      () => from + records.length,
      (error: unknown) => {
        if ((error as { passes?: boolean }).passes !== true) throw error;
        return undefined;
      },
    );
    return Promise.race([end, death.then(() => void (this.members[which] = this.born()))]);
  }

  private born() {
    let due: Mishap | undefined;
    let die = () => {};
    const at = async () => {
      await this.turn();
      if (due === undefined || due.moment-- > 0) return;
      const { kind } = due;
      due = undefined;
      if (kind === 'fails') throw Object.assign(new Error('down'), { passes: true });
      die();
      await new Promise(() => {}); // a dead process does not go on, not even to a catch
    };
    return {
      instance: instanceIn(this.world, { at, room: this.room }),
      await: (mishap: Mishap | undefined) => {
        due = mishap && { ...mishap };
        return new Promise<void>((resolve) => (die = resolve));
      },
    };
  }
}
