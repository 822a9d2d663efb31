import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Writes bytes to a port as they are and reads until the other side closes or the answer is complete; for requests that no client would make. */
export function raw(port: number, parts: (string | Buffer)[]): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    const end = () => {
      socket.destroy();
      resolve(parse(Buffer.concat(chunks).toString()));
    };
    socket.setTimeout(60_000, () => reject(new Error(`no complete answer: ${Buffer.concat(chunks).toString()}`)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (isComplete(Buffer.concat(chunks).toString())) end();
    });
    socket.on('end', end);
    socket.on('error', (error) => (chunks.length > 0 ? end() : reject(error)));
    for (const part of parts) socket.write(part);
  });
}

/** Head of a request with what every good one needs. */
export const head = (method: string, path: string, headers: Record<string, string | number>) =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

function isComplete(text: string) {
  const [top = '', body] = text.split('\r\n\r\n', 2);
  const length = /content-length: (\d+)/i.exec(top)?.[1];
  return body !== undefined && length !== undefined && Buffer.byteLength(body) >= Number(length);
}

function parse(text: string): RawAnswer {
  const [top = '', body = ''] = text.split('\r\n\r\n', 2);
  const [line = '', ...rest] = top.split('\r\n');
  const headers: Record<string, string> = {};
  for (const header of rest) headers[header.slice(0, header.indexOf(':')).toLowerCase()] = header.slice(header.indexOf(':') + 1).trim();
  return { status: Number(line.split(' ')[1]), headers, body };
}
