import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { SendOutcome } from '../deliveries/delivery.js';
import { Addresses, hostOf } from '../webhooks/addresses.js';
import { HttpSender } from '../webhooks/http-sender.js';
import { signedHeaders } from '../webhooks/signature.js';
import type { WebhookSettings } from '../webhooks/webhook.settings.js';
import { DeliveryBook } from './delivery-book.store.js';

/** A message for an assistant, as its body says it. */
export interface AssistantMessage {
  orgId: string;
  assistantId: string;
  /** The same whenever it is sent. */
  id: string;
  body: string;
}

const patienceMs = 15_000;

/** Posts messages to assistants, signed as Standard Webhooks are. Nothing is sent to addresses that are not everybody's. */
@Injectable()
export class AssistantPost implements OnApplicationShutdown {
  private readonly addresses: Addresses;
  private readonly sender: HttpSender;

  constructor(
    private readonly book: DeliveryBook,
    settings: Pick<WebhookSettings, 'allowLoopback' | 'dnsServers'>,
  ) {
    this.addresses = new Addresses(settings);
    this.sender = new HttpSender(this.addresses);
  }

  /** Whether anything could ever be sent there. */
  mayBe(url: URL): boolean {
    return this.addresses.mayBeAt(hostOf(url)) && (url.protocol === 'https:' || this.addresses.mayBePlain(url));
  }

  /** `delivered`: the assistant said so with a status of 200 to 299. @throws why there was no answer */
  async send({ orgId, assistantId, id, body }: AssistantMessage, signal: AbortSignal): Promise<SendOutcome> {
    const delivery = await this.book.of(orgId, assistantId);
    if (delivery === undefined) return { state: 'refused', detail: 'no-channel' };
    const headers = { 'content-type': 'application/json', 'user-agent': 'Deskstream/1', ...signedHeaders({ id, at: new Date(), body }, [{ key: delivery.secret.slice('whsec_'.length), validUntil: null }]) };
    const { status } = await this.sender.post(new URL(delivery.url), { headers, body, signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) });
    return { state: status >= 200 && status < 300 ? 'delivered' : 'failed', detail: `answered ${status}` };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sender.close();
  }
}
