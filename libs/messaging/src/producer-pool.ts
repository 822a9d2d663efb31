import { Fault } from './fault.js';
import { RecordProducer, type ProducerOptions } from './producer.js';

/** A producer for each of several whose topics are not ours: what one's topics do not take holds nobody else up. */
export class ProducerPool {
  private readonly producers = new Map<string, Promise<RecordProducer>>();

  /** @param options of every producer; its name joins the client's */
  constructor(private readonly options: ProducerOptions) {}

  /** Somebody's producer, made and connected when it is first needed. @throws Fault when no broker can be reached */
  of(name: string): Promise<RecordProducer> {
    const known = this.producers.get(name);
    if (known) return known;
    const opening = this.open(name);
    this.producers.set(name, opening);
    opening.catch(() => this.producers.delete(name));
    return opening;
  }

  /** Closes somebody's producer, which is made anew should it be needed again. */
  async end(name: string): Promise<void> {
    const opening = this.producers.get(name);
    this.producers.delete(name);
    await (await opening?.catch(() => undefined))?.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.producers.keys()].map((name) => this.end(name)));
  }

  private async open(name: string): Promise<RecordProducer> {
    const producer = new RecordProducer({ ...this.options, clientId: `${this.options.clientId}-${name}` });
    try {
      await producer.connect();
      return producer;
    } catch (cause) {
      await producer.close();
      throw new Fault('no broker', { cause });
    }
  }
}
