import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics } from '#contracts';
import { eventsIn, Subscribe, type DeadLetter, type Round } from '#messaging';
import { InboundMail } from '../inbound-mail/inbound-mail.js';
import { unknownRecords } from '../metrics.js';
import { Correspondents } from './correspondents.store.js';

/** Keeps what mails need of every ticket, and sees what became of mails that came in. */
@Controller()
export class CorrespondentsConsumer {
  constructor(
    private readonly correspondents: Correspondents,
    private readonly inbound: InboundMail,
  ) {}

  @Subscribe({ topic: topics.events, group: 'assignment-notification.correspondents', maxRecords: 500 })
  async follow(@Payload() round: Round): Promise<DeadLetter[]> {
    const { events, dead, unknown } = eventsIn(round);
    if (unknown > 0) unknownRecords.inc({ topic: topics.events }, unknown);
    // Were a closing stored first and this process died, a mail that came again would find its ticket closed and its words not arrived, and open another with them.
    await this.inbound.arrived(events);
    await this.correspondents.follow(events);
    await this.inbound.settle(events);
    return dead;
  }
}
