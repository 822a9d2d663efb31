import { topics } from '#contracts';
import { groupOf, RecordProducer, type Backlog, type OutgoingRecord, type RawHeader } from '#messaging';
import { viewGroup } from '../ticket-view.consumer.js';

/** They hold records that were already at the limit of their topic. */
const largestLetter = 4 << 20;

/** Dead letters of a replay: records that the live generation has read before are dead letters already, and are not written again. */
export class LateLetters {
  private opening: Promise<RecordProducer> | undefined;

  private constructor(
    private readonly brokers: string[],
    private readonly read: ReadonlyMap<number, number>,
  ) {}

  static async behind(live: number, { backlog, brokers }: { backlog: Backlog; brokers: string[] }): Promise<LateLetters> {
    return new LateLetters(brokers, await backlog.committed(groupOf(viewGroup, live), topics.events));
  }

  /** @throws NotAcknowledged and whatever keeps the producer from connecting */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const late = records.filter((record) => numberIn(record, 'dead_offset') >= (this.read.get(numberIn(record, 'dead_partition')) ?? 0));
    if (late.length === 0) return;
    this.opening ??= this.open();
    await (await this.opening).send(late);
  }

  async close(): Promise<void> {
    await (await this.opening)?.close();
  }

  /** When the first is to be written. */
  private async open(): Promise<RecordProducer> {
    const producer = new RecordProducer({ brokers: this.brokers, clientId: 'query-search-rebuild', maxRecordBytes: largestLetter });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.opening = undefined;
      await producer.close();
      throw error;
    }
  }
}

/** A header of a dead letter. */
function numberIn({ headers }: OutgoingRecord, name: string): number {
  return Number((headers as readonly RawHeader[]).find(({ key }) => key.toString() === name)!.value);
}
