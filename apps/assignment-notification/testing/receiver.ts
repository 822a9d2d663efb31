import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSocket, type Socket } from 'node:dgram';
import { decode, encode, type Answer } from 'dns-packet';
import { Webhook } from 'standardwebhooks';

/** What came to a receiver. */
export interface Received {
  headers: IncomingHttpHeaders;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- specs look into bodies of every shape
  body: any;
  at: number;
}

/** Somebody else's HTTP server: its own record says what was sent. */
export class Receiver {
  readonly received: Received[] = [];
  /** How often somebody connected, whatever came of it. */
  connections = 0;
  /** How it answers; with 200 otherwise. */
  answer: (response: ServerResponse, received: Received) => void = (response) => response.end('ok');

  private constructor(private readonly server: Server) {}

  static async open(address = '127.0.0.1'): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('connection', () => (receiver.connections += 1));
    server.on('request', (request, response) => void receiver.take(request, response));
    server.listen(0, address);
    await once(server, 'listening');
    return receiver;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = Buffer.concat(await request.toArray()).toString();
    const received = { headers: request.headers, text, body: text === '' ? {} : JSON.parse(text), at: Date.now() };
    this.received.push(received);
    this.answer(response, received);
  }

  get port() {
    return (this.server.address() as AddressInfo).port;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** Ids of what came, in order. */
  get ids(): string[] {
    return this.received.map(({ headers }) => headers['webhook-id'] as string);
  }

  /** What came, verified with a secret. @throws for what was not signed with it */
  verified(secret: string): unknown[] {
    return this.received.map(({ text, headers }) => new Webhook(secret).verify(text, headers as Record<string, string>));
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** A name server that says what a spec wants, each time anew. */
export class NameServer {
  readonly asked: string[] = [];
  /** Addresses of a name. */
  says: (name: string) => readonly string[] = () => [];

  private constructor(private readonly socket: Socket) {}

  static async open(): Promise<NameServer> {
    const socket = createSocket('udp4');
    const server = new NameServer(socket);
    socket.on('message', (packet, from) => {
      const query = decode(packet);
      const { name, type } = query.questions![0]!;
      if (type === 'A') server.asked.push(name);
      const answers = server.says(name).filter((address) => address.includes(':') === (type === 'AAAA')).map((data) => ({ type, name, ttl: 0, data }) as Answer);
      socket.send(encode({ type: 'response', ...(query.id !== undefined && { id: query.id }), questions: query.questions!, answers }), from.port, from.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return server;
  }

  get address() {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  close(): void {
    this.socket.close();
  }
}
