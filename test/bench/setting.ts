import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { topics, type DirectorySeed } from '#contracts';
import type { AppHandle } from '../support/app-handle.js';
import { Backlog, RecordProducer, type OutgoingRecord } from '#messaging';
import { openServers, temporaryFolder, type RunningServers } from '#servers';
import { startStack, type Stack } from '../support/stack.js';
import { usageOf } from './usage.js';

/** The organisation all benchmarks work in. */
export const orgId = 'bench';

// Brokers that have just started make kafkajs warn of what it then tries again.
Logger.overrideLogger(['error', 'fatal']);

const eventReaders = ['query-search.ticket-view', 'query-search.search'];

const plain: DirectorySeed = { organisations: [{ id: orgId, members: [], assistants: [{ id: 'bench-bot', name: 'Bench', memberIds: [] }] }] };

/** Servers and services of one benchmark run, all processes of their own. */
export class Setting {
  private constructor(
    readonly servers: RunningServers,
    readonly stack: Stack,
    private readonly folder: string,
    /** Whether the servers' data stay where they are, for another run. */
    readonly isKept: boolean,
  ) {}

  /** A file that stays as long as the servers' data. */
  file(name: string): string {
    return resolve(this.folder, name);
  }

  static async open({ nodeOptions = [], directory = plain, keep }: { nodeOptions?: string[]; directory?: DirectorySeed; keep?: string | undefined } = {}): Promise<Setting> {
    const folder = keep === undefined ? temporaryFolder('bench') : resolve(keep);
    const servers = await openServers({ dataDir: folder, env: {}, progress: ({ part, text }) => tell(`${part}: ${text}`) });
    try {
      const options = Object.fromEntries(['gateway', 'ticket-command', 'query-search'].map((app) => [app, nodeOptions]));
      return new Setting(servers, await startStack({ servers, directory, nodeOptions: options }), folder, keep !== undefined);
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  /** A day-long token of an administrator. */
  token(): string {
    return this.stack.token({ org: orgId, sub: 'ada', role: 'admin', ttl: 86_400 });
  }

  headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token()}`, 'content-type': 'application/json' };
  }

  /** CPU seconds and memory of services and servers, and of this process, which makes the load. */
  usage() {
    const { apps } = this.stack;
    const { kafka, mongodb } = this.servers.servers;
    const services = Object.fromEntries(Object.entries(apps).map(([name, handles]) => [name, handles.filter((app) => app.isRunning).map(({ pid }) => pid)]));
    return usageOf({ ...services, kafka: kafka.pids, mongodb: mongodb.pids, load: [process.pid] }, [process.pid]);
  }

  /** The one assignment-notification, which the gateway asks: runs only while it is measured. */
  async startNotification(): Promise<AppHandle> {
    const [known] = this.stack.apps['assignment-notification'];
    if (!known) return this.stack.add('assignment-notification');
    if (!known.isRunning) await known.restart();
    return known;
  }

  /** Waits until every consumer of the events has them all: what is measured next is not to be what a former load has left. */
  async settled(): Promise<void> {
    const backlog = await Backlog.open(this.servers.kafkaBrokers.split(','));
    const left = async () => (await Promise.all(eventReaders.map(async (group) => backlog.of((await backlog.readingNow(group)) ?? group, topics.events)))).reduce((sum, records) => sum + records, 0);
    await until('the projections', async () => (await left()) === 0, { seconds: 600 });
    await backlog.close();
  }

  /** Writes records straight to their topics. */
  async produce(records: OutgoingRecord[]): Promise<void> {
    const producer = new RecordProducer({
      brokers: this.servers.kafkaBrokers.split(','),
      clientId: 'bench',
      maxQueued: records.length,
      maxQueuedBytes: 2 ** 31,
    });
    await producer.connect();
    await producer.send(records);
    await producer.close();
  }

  async close(): Promise<void> {
    await this.stack.stop();
    await this.servers.stop();
    if (!this.isKept) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Progress goes to stderr, results to stdout. */
export const tell = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

/** Value of a counter on a service's management port, summed over its labels, or over those that hold `label`, such as `group="x"`. */
export async function metric(managementUrl: string, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`${managementUrl}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Waits until a condition holds; throws what it waited for when that takes longer than `seconds`. Looking costs whoever is asked, so not too often. */
export async function until(what: string, holds: () => Promise<boolean>, { seconds = 120, everyMs = 50 } = {}): Promise<void> {
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, everyMs))) {
    if (await holds()) return;
  }
  throw new Error(`${what} did not happen within ${seconds} s`);
}
