import { setTimeout as delay } from 'node:timers/promises';
import { inboundResultsTopic, inboundTopic, problemName, topics, type EventValue, type InboundResult } from '#contracts';
import { type IncomingRecord, type OutgoingRecord, RecordProducer } from '#messaging';
import { eventually } from './eventually.js';
import { deadInbound, freshSystem, grantOf, inboundRecord, makeSystemTopics, publishEntries, systemTopics, type Said } from './inbound.js';
import { startStack, type Stack } from './stack.js';
import { TopicTail } from './topic-tail.js';

/** A record that a system sends, with what must come of it: the outcome, or the name of a problem. */
export interface PlannedRecord {
  ceId: string;
  externalId: string;
  record: OutgoingRecord;
  expected: string;
}

const ghost = { type: 'member', id: 'ghost' };

/** An outside system, an eye on all that concerns it, and a stack in which nothing runs unless it is told what. */
export class InboundScene {
  private constructor(
    readonly system: string,
    readonly stack: Stack,
    readonly tail: TopicTail,
    readonly producer: RecordProducer,
  ) {}

  static async open(servers: { kafkaBrokers: string; mongodbUri: string }): Promise<InboundScene> {
    const system = freshSystem();
    const stack = await startStack({ servers, instances: { gateway: 0, 'ticket-command': 0, 'query-search': 0 } });
    const producer = new RecordProducer({ brokers: servers.kafkaBrokers.split(','), clientId: 'outside' });
    await Promise.all([producer.connect(), makeSystemTopics(servers.kafkaBrokers, system)]);
    const tail = await TopicTail.open(servers.kafkaBrokers, [topics.commands, topics.events, topics.results, ...systemTopics(system)]);
    const assistant = { id: 'billing-bot', name: 'Billing assistant', memberIds: [] };
    await publishEntries(producer, grantOf(system, 'acme'), { orgId: 'acme', kind: 'assistant', id: assistant.id, value: assistant });
    return new InboundScene(system, stack, tail, producer);
  }

  get group(): string {
    return `ticket-command.inbound.${this.system}`;
  }

  /** The lives of some tickets that only the system knows, step by step, taking turns; with refusals, repeats and records that are none of its business. */
  load(name: string, tickets: number): PlannedRecord[] {
    const lives = Array.from({ length: tickets }, (_, index) => this.life(`${name}/${index}`));
    return lives[0]!.flatMap((_, step) => lives.map((life) => life[step]!));
  }

  private life(externalId: string): PlannedRecord[] {
    let count = 0;
    const step = (said: Omit<Said, 'externalId'>, expected = 'applied'): PlannedRecord => {
      const ceId = `${externalId}#${(count += 1)}`;
      return { ceId, externalId, expected, record: inboundRecord(this.system, { externalId, ...said }, ceId) };
    };
    const comment = step({ verb: 'add-comment', data: { kind: 'comment', body: 'The order was paid.' } });
    return [
      step({ verb: 'create', data: { title: `Order ${externalId}`, assistantId: 'billing-bot', tags: ['order'] } }),
      comment,
      step({ verb: 'change-status', data: { to: 'pending' } }),
      step({ verb: 'change-status', data: { to: 'closed' } }, 'invalid-transition'),
      step({ verb: 'assign', data: { to: ghost } }, 'invalid-assignee'),
      step({ verb: 'update-details', expectedVersion: 1, data: { priority: 'high' } }, 'version-conflict'),
      step({ verb: 'update-details', data: { assistantId: 'tech-bot' } }, 'producer-not-allowed'),
      comment,
      step({ verb: 'update-details', data: { priority: 'high' } }),
      step({ verb: 'create', data: { title: 'Again' } }, 'already-exists'),
      step({ verb: 'update-details', data: { priority: 'high' } }, 'unchanged'),
      step({ verb: 'delete', data: {} }),
      step({ verb: 'restore', data: {} }),
    ];
  }

  /** Resolves when the broker has acknowledged them all; without that all are sent again, as a system does that wants to be sure. */
  async send(records: readonly PlannedRecord[]): Promise<void> {
    for (const deadline = Date.now() + 180_000; ; ) {
      try {
        return await this.producer.send(records.map(({ record }) => record));
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  }

  /** Sends them at a steady pace, whatever becomes of them: a piece every 100 ms. */
  stream(records: readonly PlannedRecord[], size: number): Promise<void> {
    const streaming = this.streamed(records, size);
    streaming.catch(() => undefined); // told to who waits for it; a test that failed meanwhile does not
    return streaming;
  }

  private async streamed(records: readonly PlannedRecord[], size: number): Promise<void> {
    for (let at = 0; at < records.length; at += size) {
      await this.send(records.slice(at, at + size));
      await delay(100);
    }
  }

  /** What the system was told, in the order of each partition. */
  results(): { ceId: string; value: InboundResult; text: string }[] {
    return this.tail.records(inboundResultsTopic(this.system)).map(({ key, value }) => ({ ceId: key!.toString(), value: JSON.parse(value!.toString()) as InboundResult, text: value!.toString() }));
  }

  /** Resolves when every record is answered, and both groups have committed everything. */
  async settled(records: readonly PlannedRecord[]): Promise<void> {
    const ids = new Set(records.map(({ ceId }) => ceId));
    await eventually(async () => {
      await this.tail.readToEnd();
      const answered = new Set(this.results().map(({ ceId }) => ceId));
      const waiting = [...ids].filter((id) => !answered.has(id)).length;
      if (waiting > 0) throw new Error(`${waiting} of ${ids.size} records have no result`);
      const lag = (await this.tail.lagOf(this.group, inboundTopic(this.system))) + (await this.tail.lagOf('ticket-command', topics.commands));
      if (lag > 0) throw new Error(`${lag} records are not committed`);
    }, 180_000);
    await this.tail.readToEnd();
  }

  /** What is wrong, in words; nothing when every record did what it should once, in order, and was told in one way. */
  verdict(records: readonly PlannedRecord[]): string[] {
    const tickets = Map.groupBy([...new Map(records.map((planned) => [planned.ceId, planned])).values()], ({ externalId }) => externalId);
    return [...this.wrongResults(records), ...[...tickets].flatMap(([externalId, planned]) => this.wrongHistory(externalId, planned)), ...this.wrongLetters(records)];
  }

  private wrongResults(records: readonly PlannedRecord[]): string[] {
    const told = Map.groupBy(this.results(), ({ ceId }) => ceId);
    return records.flatMap(({ ceId, expected }) => {
      const results = told.get(ceId) ?? [];
      const texts = new Set(results.map(({ value: { duplicate: _duplicate, ...value } }) => JSON.stringify(value)));
      if (texts.size !== 1) return [`${ceId} was told in ${texts.size} ways: ${[...texts].join(' | ')}`];
      const { outcome, problem } = results[0]!.value;
      const seen = problem === undefined ? outcome : problemName(problem);
      return seen === expected ? [] : [`${ceId} ended as ${seen}, not ${expected}`];
    });
  }

  /** Versions from 1 without gaps, each first seen after the one before, each of the record whose turn it was, and the same bytes whenever it came. */
  private wrongHistory(externalId: string, planned: readonly PlannedRecord[]): string[] {
    const ids = new Map(this.results().map(({ ceId, value }) => [ceId, value]));
    const ticketId = ids.get(planned[0]!.ceId)?.ticketId;
    const events = this.tail.records(topics.events).filter(({ key }) => key?.toString() === ticketId);
    const firsts = [...Map.groupBy(events, ({ headers }) => headers['ce_id'])];
    const torn = firsts.filter(([, same]) => new Set(same.map(({ value }) => value!.toString())).size > 1).map(([id]) => `${externalId}: event ${id} has two values`);
    const made = firsts.map(([, [first]]) => eventOf(first!)).map(({ version, commandId }) => `${version} ${commandId}`);
    const due = planned.filter(({ expected }) => expected === 'applied').map(({ ceId }, index) => `${index + 1} ${ids.get(ceId)?.commandId}`);
    return made.join() === due.join() ? torn : [...torn, `${externalId} became ${made.join()}, not ${due.join()}`];
  }

  private wrongLetters(records: readonly PlannedRecord[]): string[] {
    const expected = new Map(records.map(({ ceId, expected: name }) => [ceId, name]));
    const letters = this.tail.records(deadInbound(this.system)).map(({ headers }) => [headers['ce_id']!, headers['dead_reason']!] as const);
    const wrong = letters.filter(([ceId, reason]) => expected.has(ceId) && expected.get(ceId) !== reason).map(([ceId, reason]) => `${ceId} is a dead letter: ${reason}`);
    const set = new Set(letters.map(([ceId]) => ceId));
    const missing = records.filter(({ ceId, expected: name }) => name === 'producer-not-allowed' && !set.has(ceId)).map(({ ceId }) => `${ceId} is no dead letter`);
    return [...wrong, ...missing];
  }

  async close(): Promise<void> {
    await this.stack.stop();
    await Promise.all([this.tail.close(), this.producer.close()]);
  }
}

const eventOf = ({ value }: IncomingRecord) => JSON.parse(value!.toString()) as EventValue;
