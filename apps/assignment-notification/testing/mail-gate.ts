import { once } from 'node:events';
import * as net from 'node:net';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import type { MailServer } from '../../../libs/servers/testing/mail-server.js';

const host = '127.0.0.1';

/** Stands between the service and an IMAP server, encrypted as the server would be unless it is plain, and sees and spoils what they say. */
export class MailGate {
  /** What the server says reaches nobody from the next word on. */
  isSilent = false;
  /** Says of which line, as it is asked, the gate is silent from; the line itself still reaches the server. */
  silencedBy: (line: string) => boolean = () => false;
  /** Capabilities that the server does not have. */
  hidden: readonly string[] = [];
  /** Connections that were made, and those that are open now. */
  connections = 0;
  readonly open = new Set<Socket>();
  /** Most that were open at once. */
  most = 0;
  /** What was asked, line by line. */
  asked: string[] = [];
  readonly #server: Server;

  private constructor(
    private readonly behind: MailServer,
    isPlain: boolean,
  ) {
    const join = (socket: Socket) => this.#join(socket);
    this.#server = isPlain ? net.createServer(join) : tls.createServer(behind.key, join).on('tlsClientError', () => undefined);
  }

  /** @param port one that nobody is given meanwhile, where it is closed and listens again */
  static async open(behind: MailServer, { isPlain = false, port = 0 } = {}): Promise<MailGate> {
    const gate = new MailGate(behind, isPlain);
    await gate.listen(port);
    return gate;
  }

  get port() {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(port = 0): Promise<void> {
    await once(this.#server.listen(port, host), 'listening');
  }

  /** Cuts all connections and takes no new ones. @returns its port, to listen at again */
  async close(): Promise<number> {
    const { port } = this;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
    return port;
  }

  cut(): void {
    for (const socket of this.open) socket.destroy();
  }

  #join(socket: Socket) {
    this.connections += 1;
    this.open.add(socket);
    this.most = Math.max(this.most, this.open.size);
    const server = connect(this.behind.plainPort, host);
    const end = (other: Socket) => () => other.destroy();
    socket.on('error', end(server)).on('close', () => this.open.delete(socket)).on('close', end(server)).on('data', (chunk: Buffer) => {
      const lines = chunk.toString('latin1').split('\r\n').filter(Boolean);
      this.asked.push(...lines);
      this.isSilent ||= lines.some((line) => this.silencedBy(line));
      server.write(chunk);
    });
    server.on('error', end(socket)).on('close', end(socket)).on('data', (chunk: Buffer) => void (this.isSilent || socket.write(this.#without(chunk))));
  }

  /** As many letters as before: literals keep their lengths. */
  #without(chunk: Buffer): Buffer {
    if (this.hidden.length === 0 || !chunk.includes('CAPABILITY')) return chunk;
    const text = this.hidden.reduce((all, name) => all.replaceAll(` ${name}`, ` ${'X'.repeat(name.length)}`), chunk.toString('latin1'));
    return Buffer.from(text, 'latin1');
  }
}
