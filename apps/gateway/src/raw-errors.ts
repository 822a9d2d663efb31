import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem, type Problem, type ProblemName } from '#contracts';
import { problemOf, sendProblem } from '#observability';

/** How long an answered connection may still deliver what it was sending: closing at once would take the answer back, ms. */
const lingerMs = 500;

const byCode: Record<string, [ProblemName, string]> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'The headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['payload-too-large', 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['malformed-request', 'The request did not arrive in time.'],
};

/** Answers what is no HTTP request that the framework could see. */
export function answerBrokenRequest(error: Error & { code?: string; rawPacket?: unknown }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !mayAnswer(socket)) return void socket.destroy();
  const [name, detail] = byCode[error.code ?? ''] ?? (['malformed-request', 'This is not an HTTP request.'] as const);
  answerRaw(socket, problem(name, detail, { instance: pathOf(error.rawPacket) }));
}

/** What the methods of our routes are, for those that name no path of ours. */
const allMethods = 'DELETE, GET, HEAD, PATCH, POST, PUT';

/** Node closes the connection of whoever wants to be put through to somebody else, without a word. */
export function refuseConnecting(server: Server): void {
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    if (mayAnswer(socket)) answerRaw(socket, problem('method-not-allowed', 'CONNECT is not possible here.', { instance: '/' }), [`Allow: ${allMethods}`]);
    else socket.destroy();
  });
}

function answerRaw(socket: Socket, told: Problem, headers: readonly string[] = []): void {
  const requestId = randomUUID();
  const answer = { ...told, requestId };
  const body = JSON.stringify(answer);
  const head = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    ...headers,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

/** Not when the answer to an earlier part of the request is under way. */
const mayAnswer = (socket: Socket) => socket.writable && !(socket as { _httpMessage?: ServerResponse })._httpMessage?.headersSent;

const pathOf = (packet: unknown) => /^[A-Z]+ (\/[^ ?\r\n]{0,2000})/.exec(packet instanceof Buffer ? packet.toString('latin1') : '')?.[1] ?? '/';

/** Answers what the router refuses before any hook runs: paths that cannot be decoded. */
export function answerBadPath(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  sendProblem(request, reply, problemOf(error));
}

/** `Expect` knows one word; what else it says is refused as any bad header. */
export function refuseExpectations(server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const requestId = randomUUID();
    const body = JSON.stringify(problem('malformed-request', 'Expect can only be 100-continue.', { instance: request.url?.split('?', 1)[0], requestId }));
    response.writeHead(400, { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(body), 'x-request-id': requestId, connection: 'close' });
    response.end(body);
  });
}
