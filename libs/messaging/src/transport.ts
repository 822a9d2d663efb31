import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { BaseRpcContext, ServerKafka, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { assertCodecs } from './codecs.js';
import { OwnersTrouble } from './fault.js';
import { BrokerProbe, connectKafka, type Consumer } from './kafka.js';
import type { Holds } from './lane.js';
import { Member } from './member.js';
import { deadLetters, recordsEnded } from './metrics.js';
import { RecordProducer } from './producer.js';
import type { DeadLetter, OutgoingRecord, Round } from './record.js';
import { Settler, type RoundHandler } from './settle.js';
import { SharedMemory } from './shared-memory.js';
import { Traffic } from './traffic.js';
import { groupOf } from './generation.js';
import { roundTransportId, subscriptionOf, type SubscribeOptions } from './subscribe.js';

export interface RoundTransportOptions {
  readonly brokers: string[];
  /** Names the dead-letter topics: `dead.<service>.<source topic>`. */
  readonly service: string;
  /** Whether the service's store answers now; asked when a handler failed for an unknown reason. */
  readonly isStoreHealthy?: () => Promise<boolean>;
  /** Writes dead letters; a producer of its own unless given. */
  readonly deadLetters?: { send(records: readonly OutgoingRecord[]): Promise<void> };
  /** Ends the process after a crash or a stall; by default with exit code 1, by SIGTERM and, 10 s later, for certain. */
  readonly onFatal?: (error: unknown) => void;
  /** A consumer that has lag, waits for nothing and has not moved for this long is stalled (60 s). */
  readonly stallAfterMs?: number;
  /** Which generation of what its groups make they keep (1): groups of a later one have names of their own, see `groupOf`. */
  readonly generation?: number;
  /** While it says so, nobody gives way and offsets are committed at once. */
  readonly hurries?: () => boolean;
  /** How long a stop waits for rounds in hand (20 s). */
  readonly stopWithinMs?: number;
}

const logger = new Logger('messaging');

/** Of the whole process: what gives way does so to every subscription beside it, whichever transport that is of. */
const traffic = new Traffic();

/** Dead letters hold records and whole batches that were already at the limit of their topic. */
const largestDeadLetter = 4 << 20;

/** A subscription that is made while the service runs, beside those of its handlers. */
export interface Reading extends Omit<SubscribeOptions, 'perInstance' | 'isBackground' | 'lanes'> {
  readonly handle: RoundHandler;
  /** Writes its dead letters; with the service's own without it. While it fails and the broker answers, the reading waits and the service stays ready: what lacks is somebody else's. */
  readonly bury?: (letters: readonly OutgoingRecord[]) => Promise<void>;
  /** Where it begins when its group has committed nothing: at what was written then or later, ms since the epoch; `startFrom` without it. */
  readonly since?: number;
  /** Topics without which it does not begin, its own among them: as long as one is missing it waits, and nobody minds. */
  readonly waitsFor: readonly string[];
}

/** What is done with the records of a subscription. */
type Work = Pick<Reading, 'handle'> & Partial<Pick<Reading, 'bury' | 'waitsFor' | 'since'>>;

/** What a subscription says, with what it leaves out. */
const withDefaults = ({ perInstance = false, startFrom = perInstance ? 'end' : 'beginning', maxRecords = 1_000, paceMs = 0, lanes = 1, isBackground = false, ...named }: SubscribeOptions) => ({
  ...named,
  perInstance,
  startFrom,
  maxRecords,
  paceMs,
  lanes,
  isBackground,
});

/**
 * Nest's Kafka server with another consume loop: handlers bound by `Subscribe` get rounds (what has arrived on all owned partitions)
 * instead of single messages, offsets move only when a round's work is done, and no error of a handler reaches kafkajs. Give it as
 * `strategy` to `connectMicroservice`. Listening does not wait for the broker: see `health`.
 */
export class RoundTransport extends ServerKafka {
  override transportId = roundTransportId;
  readonly #settings: RoundTransportOptions;
  readonly #probe: BrokerProbe;
  /** Of all readings together, however many there come to be. */
  readonly #memory = new SharedMemory();
  readonly #bury: { send(records: readonly OutgoingRecord[]): Promise<void> };
  #undertaker: Promise<RecordProducer> | undefined;
  #members: Member[] = [];
  #isListening = false;
  #isClosing = false;
  #fatal: unknown;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(settings: RoundTransportOptions) {
    const { brokers, service } = settings;
    assertCodecs();
    super({ client: { brokers, clientId: service }, postfixId: '' });
    this.#settings = settings;
    this.#probe = new BrokerProbe({ brokers, clientId: `${service}-probe` });
    this.#bury = settings.deadLetters ?? { send: (records) => this.buryOurselves(records) };
  }

  /** `ready`: every subscription is in its group, positioned, fetching and not waiting for what the service itself needs. `live`: none has crashed or stalled. */
  health(): { readonly live: boolean; readonly ready: boolean; readonly detail?: string } {
    const trouble =
      this.#fatal === undefined ? this.#members.map((member) => member.trouble).find((told) => told !== undefined) : String(this.#fatal);
    const detail = trouble ?? (this.#isListening ? undefined : 'not listening');
    return { live: this.#fatal === undefined, ready: detail === undefined, ...(detail === undefined ? {} : { detail }) };
  }

  override async start(callback: () => void): Promise<void> {
    this.#isListening = true;
    for (const { options, handler } of this.subscriptions()) this.add(options, { handle: this.pipeline(handler) });
    const { stallAfterMs = 60_000 } = this.#settings;
    this.#watchdog = setInterval(() => void this.watch(stallAfterMs), Math.min(5_000, stallAfterMs / 4));
    this.#watchdog.unref();
    callback();
  }

  /** Reads one more topic, until it is told to end or the service stops: a consumer of its own, so that no other one notices. What all of these fetched shares one memory. */
  read({ handle, bury, waitsFor, since, ...options }: Reading): { end(): Promise<void> } {
    const buried = bury && { bury: (letters: readonly OutgoingRecord[]) => bury(letters).catch((cause: unknown) => this.blame(cause)) };
    const members = this.#isClosing ? [] : this.add(options, { handle: async (round) => handle(round), ...buried, waitsFor, ...(since !== undefined && { since }) });
    return { end: () => this.remove(members) };
  }

  /** They leave their groups once the rounds in hand have ended. */
  private async remove(members: readonly Member[]): Promise<void> {
    await Promise.all(members.map((member) => member.stop()));
    this.#members = this.#members.filter((member) => !members.includes(member));
  }

  /** What a reading cannot write of its own is trouble of the service only while the broker is down. @throws always */
  private async blame(cause: unknown): Promise<never> {
    throw (await this.#probe.isHealthy()) ? new OwnersTrouble(cause instanceof Error ? cause.message : String(cause), { cause }) : cause;
  }

  override async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#watchdog);
    const { stopWithinMs = 20_000 } = this.#settings;
    const outOfTime = setTimeout(() => this.#members.forEach(({ lane }) => lane.giveUp()), stopWithinMs);
    const stopped = Promise.all(this.#members.map((member) => member.stop()));
    const overdue = new Promise<void>((resolve) => setTimeout(resolve, stopWithinMs + 2_000).unref());
    await Promise.race([stopped, overdue]);
    clearTimeout(outOfTime);
    this.#isListening = false;
    this.consumer = null;
    const undertaker = await this.#undertaker?.catch(() => undefined);
    await Promise.all([undertaker?.close(), this.#probe.close()]);
  }

  override async createClient<T>(): Promise<T> {
    const { brokers, service } = this.#settings;
    return connectKafka({ brokers, clientId: service }) as T;
  }

  private subscriptions(): { options: SubscribeOptions; handler: MessageHandler }[] {
    return [...this.messageHandlers.values()].map((handler) => {
      const options = subscriptionOf(handler.extras);
      if (options === undefined) throw new Error('RoundTransport takes handlers bound by @Subscribe only');
      if (handler.next) throw new Error(`two handlers for ${options.group} on ${options.topic}: give each a group of its own`);
      return { options: { ...options, group: groupOf(options.group, this.#settings.generation) }, handler };
    });
  }

  private add(options: SubscribeOptions, work: Work): Member[] {
    const members = this.membersOf(options, work);
    this.#members.push(...members);
    for (const member of members) void member.start();
    return members;
  }

  private membersOf(options: SubscribeOptions, work: Work): Member[] {
    const { topic, group, perInstance, startFrom, maxRecords, paceMs, lanes, isBackground } = withDefaults(options);
    const holds: Holds = new Map();
    const positions = perInstance ? new Map<number, string>() : undefined;
    const groupId = perInstance ? `${group}.${randomUUID()}` : group;
    return Array.from({ length: perInstance ? 1 : lanes }, () => {
      const member: Member = new Member({
        topic,
        group,
        groupId,
        maxRecords,
        paceMs,
        isBackground,
        traffic,
        hurries: this.#settings.hurries,
        holds,
        ...(positions && { positions }),
        fromBeginning: startFrom === 'beginning',
        since: work.since,
        waitsFor: work.waitsFor,
        ...(work.waitsFor && { memory: this.#memory }),
        client: this.client as never,
        probe: this.#probe,
        settler: this.settlerFor(options, work, (trouble) => member.lane.waits(trouble)),
        onConsumer: (consumer) => this.show(consumer),
        onFatal: (error) => this.fail(error),
      });
      return member;
    });
  }

  private settlerFor({ topic, group }: SubscribeOptions, { handle, bury = (letters) => this.#bury.send(letters) }: Work, onWait: (trouble: unknown) => void): Settler {
    return new Settler({
      service: this.#settings.service,
      group,
      handle: async (round) => {
        const letters = (await handle(round)) ?? [];
        recordsEnded.inc({ topic, group, end: 'done' }, round.records.length - letters.length);
        return letters;
      },
      bury,
      isHealthy: () => this.isHealthy(),
      onWait,
      onDead: ({ reason }) => {
        recordsEnded.inc({ topic, group, end: 'dead' });
        deadLetters.inc({ topic, group, reason });
      },
    });
  }

  /** The handler with the framework's guards, pipes, interceptors and hooks around it, once per round. */
  private pipeline(handler: MessageHandler): RoundHandler {
    return async (round: Round) => {
      let letters: DeadLetter[] | void = undefined;
      const context = new BaseRpcContext([round]);
      // eslint-disable-next-line @typescript-eslint/await-thenable -- it returns a promise, and says void
      await this.runWithProcessingHooks(context, async (end) => {
        const result: unknown = await handler(round, context);
        letters = isObservable(result) ? await lastValueFrom(result as never, { defaultValue: undefined }) : (result as DeadLetter[]);
        end();
      });
      return letters;
    };
  }

  private async isHealthy(): Promise<boolean> {
    const { isStoreHealthy = async () => true } = this.#settings;
    const answers = await Promise.all([isStoreHealthy().catch(() => false), this.#probe.isHealthy()]);
    return answers.every((isHealthy) => isHealthy);
  }

  /** With a producer of its own, made when the first dead letter is to be written. */
  private async buryOurselves(records: readonly OutgoingRecord[]): Promise<void> {
    this.#undertaker ??= this.hireUndertaker();
    const undertaker = await this.#undertaker;
    await undertaker.send(records);
  }

  private async hireUndertaker(): Promise<RecordProducer> {
    const { brokers, service } = this.#settings;
    const undertaker = new RecordProducer({ brokers, clientId: `${service}-dead-letters`, maxRecordBytes: largestDeadLetter });
    try {
      await undertaker.connect();
      return undertaker;
    } catch (error) {
      this.#undertaker = undefined;
      await undertaker.close();
      throw error;
    }
  }

  /** The framework's status stream and `unwrap` show the consumers as they come. */
  private show(consumer: Consumer): void {
    this.consumer = consumer;
    this.registerConsumerEventListeners();
  }

  private async watch(stallAfterMs: number): Promise<void> {
    for (const member of this.#members) {
      const isSuspect = Date.now() - member.movedAt > stallAfterMs;
      if (isSuspect && (await this.isHealthy()) && (await this.hasLag(member))) {
        this.fail(new Error(`a consumer has not moved for ${Math.round((Date.now() - member.movedAt) / 1_000)} s`));
      }
    }
  }

  private async hasLag(member: Member): Promise<boolean> {
    return member.lane.isBusy || (await member.lag().catch(() => 0)) > 0;
  }

  private fail(error: unknown): void {
    if (this.#fatal !== undefined) return;
    this.#fatal = error;
    logger.error({ msg: 'messaging cannot go on', err: error });
    (this.#settings.onFatal ?? endProcess)(error);
  }
}

function endProcess(): void {
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 10_000).unref();
  process.kill(process.pid, 'SIGTERM');
}
