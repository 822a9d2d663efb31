import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What becomes of a request: it passes, the connection is cut before or after it went through, or its answer comes so many ms late. */
export type Fate = 'pass' | 'cut before' | 'cut after' | number;

/** How one kind of server talks: frames that begin with their length, requests that bear numbers, answers that repeat them. */
interface Protocol {
  lengthOf(frame: Buffer): number;
  /** What is asked for, such as `produce` or `insert`. */
  nameOf(request: Buffer): string;
  numberOf(request: Buffer): number;
  answeredBy(answer: Buffer): number;
  /** The answer as a client behind the proxy must see it. */
  rewritten(answer: Buffer, ports: { server: number; proxy: number }): Buffer;
}

const host = '127.0.0.1';

const kafkaNames = new Map([
  [0, 'produce'],
  [1, 'fetch'],
  [8, 'commit'],
  [12, 'heartbeat'],
]);

/** Brokers name themselves in answers: there the proxy puts itself in their place, or clients would go past it. */
const kafka: Protocol = {
  lengthOf: (frame) => 4 + frame.readInt32BE(0),
  nameOf: (request) => kafkaNames.get(request.readInt16BE(4)) ?? 'other',
  numberOf: (request) => request.readInt32BE(8),
  answeredBy: (answer) => answer.readInt32BE(4),
  rewritten: (answer, ports) => {
    const addressOf = (port: number) => Buffer.concat([Buffer.from(host), Buffer.from([0, 0, port >> 8, port & 0xff])]);
    const [told, ours] = [addressOf(ports.server), addressOf(ports.proxy)];
    for (let at = answer.indexOf(told); at !== -1; at = answer.indexOf(told, at + 1)) ours.copy(answer, at);
    return answer;
  },
};

/** The command's name is the first key of the message's document. */
const mongodb: Protocol = {
  lengthOf: (frame) => frame.readInt32LE(0),
  nameOf: (request) => (request.readInt32LE(12) === 2013 ? request.toString('latin1', 26, request.indexOf(0, 26)) : 'other'),
  numberOf: (request) => request.readInt32LE(4),
  answeredBy: (answer) => answer.readInt32LE(8),
  rewritten: (answer) => answer,
};

/** Stands between a service and its broker or store, and spoils what a test tells it to spoil. */
export class CuttingProxy {
  /** Asked for every request; may count. */
  fate: (request: string) => Fate = () => 'pass';
  /** Requests that did not simply pass, by fate and name, such as `cut after insert`. */
  readonly spoilt = new Map<string, number>();
  readonly #connections = new Set<Socket>();
  #isDown = false;

  private constructor(
    private readonly protocol: Protocol,
    private readonly serverPort: number,
    private readonly listener: Server,
  ) {
    listener.on('connection', (client) => this.#serve(client));
  }

  static toKafka(brokers: string): Promise<CuttingProxy> {
    return CuttingProxy.#open(kafka, Number(brokers.split(':')[1]));
  }

  static toMongodb(uri: string): Promise<CuttingProxy> {
    return CuttingProxy.#open(mongodb, Number(new URL(uri).port));
  }

  static async #open(protocol: Protocol, serverPort: number): Promise<CuttingProxy> {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, host, resolve));
    return new CuttingProxy(protocol, serverPort, listener);
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Cuts all connections, and every new one until `up`. */
  down(): void {
    this.#isDown = true;
    for (const socket of this.#connections) socket.destroy();
  }

  up(): void {
    this.#isDown = false;
  }

  async close(): Promise<void> {
    this.down();
    await new Promise((resolve) => this.listener.close(resolve));
  }

  #serve(client: Socket): void {
    const server = connect(this.serverPort, host);
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#connections.add(socket);
      socket.setNoDelay(true).on('error', cut);
      socket.on('close', () => this.#connections.delete(socket) && cut());
    }
    if (this.#isDown) return cut();
    this.#pass(client, server, cut);
  }

  /** Requests to the server, answers back, each in their order. */
  #pass(client: Socket, server: Socket, cut: () => void): void {
    const { numberOf, answeredBy, rewritten } = this.protocol;
    const fates = new Map<number, Fate>();
    const ports = { server: this.serverPort, proxy: this.port };
    onFrames(client, this.protocol, (request) => {
      const fate = this.#decide(request);
      if (fate === 'cut before') return cut();
      fates.set(numberOf(request), fate);
      server.write(request);
    });
    let before: Promise<unknown> = Promise.resolve();
    onFrames(server, this.protocol, (answer) => {
      const fate = fates.get(answeredBy(answer)) ?? 'pass';
      fates.delete(answeredBy(answer));
      if (fate === 'cut after') return cut();
      const inTime = typeof fate === 'number' ? delay(fate) : undefined;
      before = Promise.all([before, inTime]).then(() => client.write(rewritten(answer, ports)));
    });
  }

  #decide(request: Buffer): Fate {
    const name = this.protocol.nameOf(request);
    const fate = this.fate(name);
    if (fate !== 'pass') {
      const what = typeof fate === 'number' ? `hold ${name}` : `${fate} ${name}`;
      this.spoilt.set(what, (this.spoilt.get(what) ?? 0) + 1);
    }
    return fate;
  }
}

/** Hands on each whole frame. */
function onFrames(socket: Socket, { lengthOf }: Protocol, take: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= lengthOf(rest) && !socket.destroyed) {
      const length = lengthOf(rest);
      take(Buffer.from(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
  });
}
