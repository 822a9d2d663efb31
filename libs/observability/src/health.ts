import { Injectable } from '@nestjs/common';
import type { HealthAnswer } from '#contracts';

/** A part that a service needs in order to work. */
type Dependency = keyof HealthAnswer['checks'];

type Probe = () => boolean | Promise<boolean>;
/** A probe that takes longer than this counts as down, ms. */
const patience = 2_000;

/** What the service needs to be ready, and whether it still lives. Parts register themselves; the management port answers. */
@Injectable()
export class Health {
  private readonly probes: [Dependency, Probe][] = [];
  private readonly signs: (() => boolean)[] = [];
  private stopping = false;

  /** A dependency is up when all its probes say so. */
  check(name: Dependency, probe: Probe): void {
    this.probes.push([name, probe]);
  }

  /** The process should be ended and started again as soon as one of these says no. */
  liveness(sign: () => boolean): void {
    this.signs.push(sign);
  }

  /** From now on not ready: traffic goes elsewhere while what is under way ends. */
  stop(): void {
    this.stopping = true;
  }

  live(): HealthAnswer {
    return { status: this.signs.every((sign) => sign()) ? 'up' : 'down', checks: {} };
  }

  async ready(): Promise<HealthAnswer> {
    const results = await Promise.all(this.probes.map(async ([name, probe]) => [name, await answers(probe)] as const));
    const names = [...new Set(results.map(([name]) => name))];
    const checks = Object.fromEntries(names.map((name) => [name, results.every(([of, up]) => of !== name || up) ? 'up' : 'down']));
    const up = !this.stopping && Object.values(checks).every((state) => state === 'up') && this.live().status === 'up';
    return { status: up ? 'up' : 'down', checks };
  }
}

async function answers(probe: Probe): Promise<boolean> {
  const timeout = new Promise<false>((resolve) => setTimeout(resolve, patience, false).unref());
  return Promise.race([Promise.resolve().then(probe).catch(() => false), timeout]);
}
