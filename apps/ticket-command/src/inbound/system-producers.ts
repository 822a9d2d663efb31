import { Fault, RecordProducer } from '#messaging';

/** A dead letter is a record or a batch that was already at the limit of its topic, 4 MiB, with headers that say why. */
const largestRecord = 5 * 1024 * 1024;

/** A producer for each outside system: what one system's topics do not take holds nobody else up. */
export class SystemProducers {
  private readonly producers = new Map<string, Promise<RecordProducer>>();

  constructor(private readonly brokers: string[]) {}

  /** The producer of a system, made and connected when it is first needed. @throws Fault when no broker can be reached */
  of(system: string): Promise<RecordProducer> {
    const known = this.producers.get(system);
    if (known) return known;
    const opening = this.open(system);
    this.producers.set(system, opening);
    opening.catch(() => this.producers.delete(system));
    return opening;
  }

  async close(): Promise<void> {
    await Promise.all([...this.producers.values()].map(async (opening) => (await opening.catch(() => undefined))?.close()));
  }

  private async open(system: string): Promise<RecordProducer> {
    const producer = new RecordProducer({ brokers: this.brokers, clientId: `ticket-command-inbound-${system}`, maxRecordBytes: largestRecord });
    try {
      await producer.connect();
      return producer;
    } catch (cause) {
      await producer.close();
      throw new Fault('no broker', { cause });
    }
  }
}
