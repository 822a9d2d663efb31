import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { RequesterMessage } from '#contracts';

/** Something that was posted to an assistant. */
export interface Posted {
  id: string;
  isSigned: boolean;
  message: RequesterMessage;
}

/** An assistant's end: remembers what was posted to it, and answers with `status`. */
export class DeliveryReceiver {
  readonly posted: Posted[] = [];
  status = 204;
  readonly #server = createServer((request, response) => {
    void json(request).then((body) => {
      const { 'webhook-id': id = '', 'webhook-timestamp': at = '', 'webhook-signature': signature } = request.headers;
      const text = `${String(id)}.${String(at)}.${JSON.stringify(body)}`;
      const isSigned = signature === `v1,${createHmac('sha256', Buffer.from(this.secret.slice(6), 'base64')).update(text).digest('base64')}`;
      this.posted.push({ id: String(id), isSigned, message: body as RequesterMessage });
      response.writeHead(this.status).end();
    });
  });

  constructor(private readonly secret: string) {}

  /** Resolves with its address. */
  async open(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/messages`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
