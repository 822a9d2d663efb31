import { Controller, Logger } from '@nestjs/common';
import { noticeValue, topics, type NoticeTold } from '#contracts';
import { readEnvelope, Subscribe, valueOf, type DeadLetter, type IncomingRecord, type Round } from '#messaging';
import { Streams } from './streams.js';

/** The notices topic: every instance reads all of it, from now on, and tells those who listen. A broken record is passed over: what it told of stands in the list. */
@Controller()
export class NoticesConsumer {
  private readonly logger = new Logger('stream');

  constructor(private readonly streams: Streams) {}

  @Subscribe({ topic: topics.notices, group: 'gateway.notices', perInstance: true, startFrom: 'end' })
  async handle({ records }: Round): Promise<DeadLetter[]> {
    this.streams.tellNotices(records.flatMap((record) => this.read(record) ?? []));
    return [];
  }

  private read(record: IncomingRecord): NoticeTold | undefined {
    if (readEnvelope(record).type !== 'notice.told.v1') return undefined;
    const value = valueOf(record);
    const told = noticeValue['notice.told.v1'].safeParse('json' in value ? value.json : null);
    if (told.success) return told.data;
    this.logger.warn({ msg: 'a notice cannot be read', err: told.error });
    return undefined;
  }
}
