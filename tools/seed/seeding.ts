import { setTimeout as delay } from 'node:timers/promises';
import { deadLetterTopic, topics } from '#contracts';
import { NotAcknowledged, toHeaders, type Backlog, type OutgoingRecord, type RecordProducer } from '#messaging';
import { amount, type Progress } from '#observability';
import type { Planned } from './plan.js';

/** It cannot go on; the message says why and what can be done. */
export class SeedingFailed extends Error {}

/** What seeding works with. */
export interface SeedingParts {
  producer: Pick<RecordProducer, 'send'>;
  backlog: Pick<Backlog, 'of' | 'written' | 'readingNow'>;
  progress: Pick<Progress, 'tell' | 'say'>;
  /** Aborted by who no longer wants it. */
  signal: AbortSignal;
  /** Neither minds how far the services are, nor waits for them. */
  noWait?: boolean;
  clock?: () => number;
  pause?: (ms: number) => Promise<unknown>;
}

/** What was sent. */
export interface Sent {
  commands: number;
  tickets: number;
  /** So many of the first tickets are there with all their commands. */
  complete: number;
}

/** Commands in one request to the broker. */
const piece = 500;
/** So far the sender may be ahead of the services: whoever works on tickets meanwhile waits seconds at most, and an end does not take long. */
const mostAhead = { commands: 3_000, events: 20_000 };
const askEveryMs = 250;
/** Without any progress of a service for so long, nobody is there. */
const patienceMs = 60_000;
const writer = 'ticket-command';
/** Groups of query-search that read the events, of whichever generation; the first one makes the lists. */
const readers = ['query-search.ticket-view', 'query-search.search'];
const deadLetters = deadLetterTopic('ticket-command', topics.commands);

/** Sends commands and waits until they have become tickets in every view. Sending the same ones again changes nothing. */
export class Seeding {
  #deadBefore = 0;
  readonly #clock: () => number;
  readonly #pause: (ms: number) => Promise<unknown>;

  constructor(private readonly parts: SeedingParts) {
    this.#clock = parts.clock ?? (() => performance.now());
    this.#pause = parts.pause ?? ((ms) => delay(ms));
  }

  /**
   * Sends all, or as many as there are until the signal is aborted.
   * @param from tickets that were left out of the plan, since they are there
   * @throws SeedingFailed when the broker or ticket-command does not take them
   */
  async send(plan: Iterable<Planned>, total: number, from = 0): Promise<Sent> {
    const sent: Sent = { commands: 0, tickets: from, complete: from };
    this.#deadBefore = await this.parts.backlog.written(deadLetters).catch((cause: unknown) => {
      throw new SeedingFailed(`These brokers have no topic ${deadLetters}: is it a Deskstream installation?`, { cause });
    });
    let records: OutgoingRecord[] = [];
    for (const { command, tickets, complete } of plan) {
      if (this.parts.signal.aborted) return sent;
      records.push(recordOf(command));
      // The very first goes alone: whether such commands are taken at all is seen before there are thousands.
      if (records.length < piece && sent.commands > 0) continue;
      await this.#deliver(records);
      Object.assign(sent, { commands: sent.commands + records.length, tickets, complete });
      records = [];
      await this.#room(sent, total);
    }
    if (this.parts.signal.aborted) return sent;
    await this.#deliver(records);
    return { commands: sent.commands + records.length, tickets: total, complete: total };
  }

  /** Waits until the services have caught up, or the signal is aborted. @throws SeedingFailed when one of them stands still */
  async follow(): Promise<void> {
    const reading = await Promise.all(readers.map((group) => this.parts.backlog.readingNow(group)));
    const stages = [
      { group: writer, topic: topics.commands, label: 'commands decided', unit: 'commands' },
      ...reading.flatMap((group) => group ?? []).map((group) => ({ group, topic: topics.events, label: `${group.split('.')[1]} up to date`, unit: 'events' })),
    ];
    for (const { group, topic, label, unit } of stages) {
      let most = 0;
      await this.#until(group, async () => {
        const left = await this.parts.backlog.of(group, topic);
        most = Math.max(most, left);
        this.parts.progress.tell({ label, done: most - left, total: most, unit });
        return { left, isEnough: left === 0 };
      });
      await this.#demandNoDeath();
    }
  }

  /** What the broker has not acknowledged is sent again for half a minute: repeats change nothing. */
  async #deliver(records: readonly OutgoingRecord[]): Promise<void> {
    const deadline = this.#clock() + patienceMs / 2;
    for (;;) {
      try {
        return await this.parts.producer.send(records);
      } catch (error) {
        if (!(error instanceof NotAcknowledged)) throw error;
        if (this.#clock() > deadline || this.parts.signal.aborted) throw new SeedingFailed('The broker does not acknowledge commands any more.', { cause: error });
        await this.#pause(1_000);
      }
    }
  }

  /** Tells how far it is, and waits while the services are too far behind. */
  async #room(sent: Sent, total: number): Promise<void> {
    const tell = (remark?: string) =>
      this.parts.progress.tell({ label: 'tickets', done: sent.tickets, total, unit: 'commands', ...(remark && { remark }) }, sent.commands);
    tell();
    if (this.parts.noWait) return;
    const isFirst = sent.commands === 1;
    await this.#until(writer, async () => {
      const left = await this.parts.backlog.of(writer, topics.commands);
      tell(`${amount(left)} to decide`);
      return { left, isEnough: left <= (isFirst ? 0 : mostAhead.commands) };
    });
    await this.#demandNoDeath();
    if (isFirst) return;
    await this.#until(readers[0]!, async () => {
      const group = (await this.parts.backlog.readingNow(readers[0]!)) ?? readers[0]!;
      const left = await this.parts.backlog.of(group, topics.events);
      if (left > mostAhead.events) tell(`${amount(left)} events to show`);
      return { left, isEnough: left <= mostAhead.events };
    });
  }

  /** Asks again and again until it is enough or nobody wants it any more. @throws SeedingFailed when nothing moves for a minute */
  async #until(group: string, ask: () => Promise<{ left: number; isEnough: boolean }>): Promise<void> {
    let least = Infinity;
    let movedAt = this.#clock();
    while (!this.parts.signal.aborted) {
      const { left, isEnough } = await this.#patiently(ask);
      if (isEnough) return;
      if (left < least) [least, movedAt] = [left, this.#clock()];
      if (this.#clock() - movedAt > patienceMs) {
        throw new SeedingFailed(`${group} has taken nothing for a minute, ${amount(left)} records wait for it. Is it running?`);
      }
      await this.#pause(askEveryMs);
    }
  }

  /** A broker that is started again answers again. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = this.#clock() + patienceMs;
    for (;;) {
      try {
        return await ask();
      } catch (cause) {
        if (this.#clock() > deadline || this.parts.signal.aborted) throw new SeedingFailed('The broker does not answer any more.', { cause });
        await this.#pause(1_000);
      }
    }
  }

  async #demandNoDeath(): Promise<void> {
    const dead = (await this.#patiently(() => this.parts.backlog.written(deadLetters))) - this.#deadBefore;
    if (dead === 0) return;
    throw new SeedingFailed(
      `ticket-command set ${amount(dead)} of the commands aside (topic ${deadLetters}). It takes commands of the past only with ALLOW_PAST_COMMANDS=true, as npm start sets it.`,
    );
  }
}

function recordOf({ type, commandId, ...value }: Planned['command']): OutgoingRecord {
  const { ticketId, orgId } = value;
  const envelope = { id: commandId, type, source: '/tools/demo-seed', subject: ticketId, time: new Date().toISOString(), orgId };
  return { topic: topics.commands, key: ticketId, value: JSON.stringify(value), headers: toHeaders(envelope) };
}
