import { Inject, Injectable } from '@nestjs/common';
import { v5 } from 'uuid';
import type { CommandData } from '#contracts';
import { RecordProducer } from '#messaging';
import { commandRecord, commandText, type Sender } from '../commands.js';
import type { Channel, Delivery, SendOutcome } from '../deliveries/delivery.js';
import { Mailer } from '../mail/mail.js';
import { AssistantPost } from './assistant-post.js';
import type { Content } from './requester.claimant.js';

/** Pauses between tries, s. */
export const REPLY_PAUSES = Symbol('reply pauses');

/** The namespace of commands that report deliveries. */
const namespace = '5d2f0b67-6c8e-4b51-9f0e-6d6a6b1f7a35';

/** Who reports: deliveries are nobody's opinion. */
const reporter: Sender = { actor: { type: 'system', id: 'delivery', name: 'Delivery' }, access: { role: 'admin', assistantIds: [] } };

const type = 'ticket.report-reply-delivery.v1';

/** Sends requesters their mails, and reports on the ticket what became of replies. */
@Injectable()
export class RequesterChannel implements Channel {
  readonly name = 'requester';
  readonly parallel = 4;
  readonly limitMs = 20_000;

  constructor(
    private readonly mailer: Mailer,
    private readonly post: AssistantPost,
    private readonly producer: RecordProducer,
    @Inject(REPLY_PAUSES) readonly pauses: readonly number[],
  ) {}

  async send({ orgId, content }: Delivery, signal: AbortSignal): Promise<SendOutcome> {
    const what = JSON.parse(content) as Content;
    if (what.way === 'assistant') return this.post.send({ orgId, assistantId: what.assistantId, id: what.message.id, body: JSON.stringify(what.message) }, signal);
    const { to, ...mail } = what.mail;
    if (to === null) return { state: 'refused', detail: 'no-channel' };
    return this.mailer.send({ ...mail, to });
  }

  /** The id of a report comes from the try that it tells of: telling again changes nothing. */
  async settle(ended: readonly Delivery[]): Promise<void> {
    const records = ended.flatMap((delivery) => {
      const { _id, orgId, about, attempts } = delivery;
      const { ticketId = '', commentId } = about;
      const last = attempts.at(-1);
      if (commentId === undefined || last === undefined) return [];
      const command = commandText<typeof type>(reporter, { orgId, ticketId }, reportOf(delivery, commentId));
      return [commandRecord(type, { orgId, ticketId }, { commandId: v5(`${_id}/${last.at.toISOString()}`, namespace), command, at: last.at })];
    });
    if (records.length > 0) await this.producer.send(records);
  }
}

function reportOf({ content, state, attempts }: Delivery, commentId: string): CommandData<typeof type> {
  const what = JSON.parse(content) as Content;
  const channel = what.way === 'email' && what.mail.to === null ? 'none' : what.way;
  return { commentId, state: state === 'delivered' ? 'delivered' : 'failed', channel, detail: attempts.at(-1)!.detail.replaceAll('\0', '').toWellFormed() };
}
