import { connect } from 'node:net';

const metadata = { key: 3, version: 5 };

/**
 * Asks a broker what its cluster looks like, as a client does before anything else, and resolves when it names at least one broker. An open port says less: it is there before the broker has found its place.
 */
export async function kafkaAnswers(hostAndPort: string, timeoutMs = 2_000): Promise<void> {
  const colon = hostAndPort.lastIndexOf(':');
  const answer = await ask(hostAndPort.slice(0, colon), Number(hostAndPort.slice(colon + 1)), metadataRequest(), timeoutMs);
  if (brokersIn(answer) === 0) throw new Error(`${hostAndPort} knows no broker yet`);
}

/** Size, API key and version, correlation id, client id; then: no topics asked for by name, and none may be created. */
function metadataRequest(): Buffer {
  const client = Buffer.from('deskstream');
  const head = Buffer.alloc(14);
  head.writeInt32BE(10 + client.length + 5, 0);
  head.writeInt16BE(metadata.key, 4);
  head.writeInt16BE(metadata.version, 6);
  head.writeInt32BE(1, 8);
  head.writeInt16BE(client.length, 12);
  return Buffer.concat([head, client, Buffer.from([0, 0, 0, 0, 0])]);
}

/** After size, correlation id and throttle time comes the number of brokers. */
function brokersIn(answer: Buffer): number {
  return answer.length < 16 ? 0 : answer.readInt32BE(12);
}

function ask(host: string, port: number, request: Buffer, timeoutMs: number): Promise<Buffer> {
  const socket = connect({ host, port });
  let answer = Buffer.alloc(0);
  return new Promise<Buffer>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${host}:${port} closed the connection`)));
    socket.setTimeout(timeoutMs, () => reject(new Error(`${host}:${port} does not answer within ${timeoutMs / 1000} s`)));
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) resolve(answer);
    });
  }).finally(() => socket.destroy());
}
