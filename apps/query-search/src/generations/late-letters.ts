import { topics } from '#contracts';
import { groupOf, RecordProducer, type Backlog, type OutgoingRecord, type RawHeader } from '#messaging';
import { deadlinesGroup } from '../deadlines.consumer.js';
import { viewGroup } from '../ticket-view.consumer.js';

/** They hold records that were already at the limit of their topic. */
const largestLetter = 4 << 20;

type Letterbox = Pick<RecordProducer, 'send' | 'close'>;

export interface LateLettersParts {
  backlog: Pick<Backlog, 'committed'>;
  /** Called when the first is to be written. */
  open: () => Promise<Letterbox>;
}

/**
 * Dead letters of a replay: records that the live generation has read before are dead letters already, and are not written again. Of those that come
 * while both generations read there are two: which of them will be the one that goes on is not known yet, and none may be lost.
 */
export class LateLetters {
  private opening: Promise<Letterbox> | undefined;

  private constructor(
    private readonly open: () => Promise<Letterbox>,
    private readonly read: ReadonlyMap<string, ReadonlyMap<number, number>>,
  ) {}

  static async behind(live: number, { backlog, open }: LateLettersParts): Promise<LateLetters> {
    const read = (group: string, topic: string) => backlog.committed(groupOf(group, live), topic);
    return new LateLetters(open, new Map([[topics.events, await read(viewGroup, topics.events)], [topics.deadlines, await read(deadlinesGroup, topics.deadlines)]]));
  }

  /** @throws NotAcknowledged and whatever keeps the producer from connecting */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const late = records.filter((record) => Number(textIn(record, 'dead_offset')) >= (this.read.get(textIn(record, 'dead_topic'))?.get(Number(textIn(record, 'dead_partition'))) ?? 0));
    if (late.length === 0) return;
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    await (await this.opening).send(late);
  }

  async close(): Promise<void> {
    await (await this.opening)?.close();
  }
}

/** Where they go. @throws whatever keeps the producer from connecting */
export async function letterboxAt(brokers: string[]): Promise<Letterbox> {
  const producer = new RecordProducer({ brokers, clientId: 'query-search-rebuild', maxRecordBytes: largestLetter });
  try {
    await producer.connect();
    return producer;
  } catch (error) {
    await producer.close();
    throw error;
  }
}

/** A header of a dead letter. */
function textIn({ headers }: OutgoingRecord, name: string): string {
  return String((headers as readonly RawHeader[]).find(({ key }) => key.toString() === name)!.value);
}
