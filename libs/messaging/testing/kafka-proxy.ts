import * as net from 'node:net';

/** Kafka's numbers of some requests. */
export const apis = { produce: 0, fetch: 1, metadata: 3, offsetCommit: 8, findCoordinator: 10, heartbeat: 12 } as const;

/**
 * A proxy in front of one broker that understands just enough to harm: it can cut the connection instead of passing an answer on,
 * keep answers back, or refuse everybody. Clients stay with it because it writes its own port into the addresses that the broker tells them.
 */
export class KafkaProxy {
  readonly #server = net.createServer((client) => this.accept(client));
  readonly #sockets = new Set<net.Socket>();
  readonly #target: { host: string; port: number };
  /** Decides about each answer by the request's number: `cut` closes the connection instead, `hold` swallows it. */
  onAnswer: (api: number) => 'pass' | 'cut' | 'hold' = () => 'pass';
  isRefusing = false;

  constructor(broker: string) {
    const [host, port] = broker.split(':') as [string, string];
    this.#target = { host, port: Number(port) };
  }

  /** Listens on a free port; resolves with the address to give to clients. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, this.#target.host, resolve));
    return `${this.#target.host}:${this.port}`;
  }

  private get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** Cuts every connection. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.isRefusing = true;
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  private accept(client: net.Socket): void {
    if (this.isRefusing) return void client.destroy();
    const broker = net.connect(this.#target);
    const pair = [client, broker];
    const cut = () => pair.forEach((socket) => socket.destroy());
    for (const socket of pair) {
      this.#sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    const apiOf = new Map<number, number>();
    onFrames(client, (frame) => {
      apiOf.set(frame.readInt32BE(8), frame.readInt16BE(4));
      broker.write(frame);
    });
    onFrames(broker, (frame) => {
      const verdict = this.onAnswer(apiOf.get(frame.readInt32BE(4)) ?? -1);
      if (verdict === 'cut') cut();
      else if (verdict === 'pass') client.write(this.redirect(frame));
    });
  }

  /** Host (length and text) followed by port, as metadata and coordinator answers have it. */
  private redirect(frame: Buffer): Buffer {
    const { host, port } = this.#target;
    const address = Buffer.alloc(2 + host.length + 4);
    address.writeInt16BE(host.length);
    address.write(host, 2);
    address.writeInt32BE(port, 2 + host.length);
    for (let at = frame.indexOf(address); at !== -1; at = frame.indexOf(address, at)) frame.writeInt32BE(this.port, at + 2 + host.length);
    return frame;
  }
}

/** Calls back with each whole message: four bytes of length and as many bytes. */
function onFrames(socket: net.Socket, take: (frame: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const length = 4 + pending.readInt32BE(0);
      take(Buffer.from(pending.subarray(0, length)));
      pending = pending.subarray(length);
    }
  });
}
