import { Injectable } from '@nestjs/common';
import type { HealthAnswer } from '#contracts';

/** A part that a service needs in order to work. */
type Dependency = keyof HealthAnswer['checks'];

type Probe = () => boolean | Promise<boolean>;
/** A probe that takes longer than this counts as down, ms. */
const patience = 2_000;

/** Something that goes on beside, and makes nobody unready. */
type Remark = () => object | undefined | Promise<object | undefined>;

/** What the service needs to be ready, and whether it still lives. Parts register themselves; the management port answers. */
@Injectable()
export class Health {
  private readonly probes: [Dependency, Probe][] = [];
  private readonly signs: (() => boolean)[] = [];
  private readonly remarks: [string, Remark][] = [];
  private stopping = false;

  /** A dependency is up when all its probes say so. */
  check(name: Dependency, probe: Probe): void {
    this.probes.push([name, probe]);
  }

  /** Readiness tells of it under this name, as long as there is something to tell. */
  remark(name: string, tell: Remark): void {
    this.remarks.push([name, tell]);
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
    const [results, remarks] = await Promise.all([
      Promise.all(this.probes.map(async ([name, probe]) => [name, await inTime(probe, false)] as const)),
      Promise.all(this.remarks.map(async ([name, tell]) => [name, await inTime(tell, undefined)] as const)),
    ]);
    const names = [...new Set(results.map(([name]) => name))];
    const checks = Object.fromEntries(names.map((name) => [name, results.every(([of, up]) => of !== name || up) ? 'up' : 'down']));
    const up = !this.stopping && Object.values(checks).every((state) => state === 'up') && this.live().status === 'up';
    return { status: up ? 'up' : 'down', checks, ...Object.fromEntries(remarks.filter(([, told]) => told !== undefined)) };
  }
}

async function inTime<T>(ask: () => T | Promise<T>, otherwise: T): Promise<T> {
  const timeout = new Promise<T>((resolve) => setTimeout(resolve, patience, otherwise).unref());
  return Promise.race([Promise.resolve().then(ask).catch(() => otherwise), timeout]);
}
