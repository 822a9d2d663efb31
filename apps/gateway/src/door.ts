import type { Server } from 'node:http';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { forbiddenKeys, limits, NoQuery, queryPointer, validationErrors } from '#contracts';
import { loggedUrl, ProblemError } from '#observability';
import { AuthGuard } from './auth.guard.js';
import type { Caller } from './caller.js';
import { leadToPages } from './contracts.controller.js';
import type { open } from './health.controller.js';
import { LargeBodies } from './large-bodies.js';
import { MailSignatures } from './mail-signatures.js';
import { requestSeconds } from './metrics.js';
import { answerBadPath, answerBrokenRequest, refuseConnecting, refuseExpectations } from './raw-errors.js';
import { parseBody, readBody } from './request-body.js';
import { demandJson, headerCount, writeConditions } from './request-headers.js';
import { KnownRoutes } from './routes.js';

type Done = (error?: Error) => void;

const logger = new Logger('http');

/** Every answer here is data for one caller: never sniffed, kept, framed or run. */
const answerHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

/** The id of a person has up to 255 characters, each of which may take twelve in a path. */
const longestParameter = 12 * 255;

/** Bodies beyond those of ordinary requests at once: 40 MiB. */
const mostLargeBodies = 4;

/** Fastify's options of the public door: its own answers to broken requests are no problems as the contract words them. */
export const doorOptions = { routerOptions: { maxParamLength: longestParameter }, return503OnClosing: false, clientErrorHandler: answerBrokenRequest, frameworkErrors: answerBadPath };

/**
 * Puts the checks of the public door before the application's routes, in this order: route, sign-in, headers, body. What they refuse costs
 * neither a body nor a handler.
 */
export function openDoor(app: NestFastifyApplication): void {
  const http = app.getHttpAdapter().getInstance();
  const guard = app.get(AuthGuard);
  const signatures = app.get(MailSignatures);
  const large = new LargeBodies(mostLargeBodies);
  const routes = new KnownRoutes();
  routes.learn(http);
  takeBodies(app);
  limitConnections(app);
  letGoWhenStopping(app);
  for (const name of ['caller', 'conditions', 'canonicalBody', 'cameAt']) http.decorateRequest(name, undefined);
  http.addHook('onRequest', (request, reply, done) => {
    request.cameAt = performance.now();
    void reply.headers(answerHeaders);
    if (isSigned(request)) guarded(done, () => announced(request, reply, { signatures, large }));
    else if (isOpen(request)) done();
    else guarded(done, () => enter(request, routes, guard), (caller) => welcome(request, caller));
  });
  leadToPages(http);
  http.addHook('preValidation', (request, _, done) => guarded(done, () => unpack(request)));
  http.addHook('onResponse', (request, reply, done) => {
    measure(request, reply);
    done();
  });
}

const isOpen = ({ routeOptions }: FastifyRequest) => (routeOptions.config as Partial<typeof open> | undefined)?.isOpen === true;

/** A body that its signature lets in: it is not read for who shows none that could be good. */
const isSigned = ({ routeOptions }: FastifyRequest) => (routeOptions.config as { isSigned?: boolean } | undefined)?.isSigned === true;

function announced({ headers }: FastifyRequest, { raw }: FastifyReply, { signatures, large }: { signatures: MailSignatures; large: LargeBodies }) {
  signatures.demandSigned(headers);
  large.admit(headers['content-length'], raw);
}

function enter(request: FastifyRequest, routes: KnownRoutes, guard: AuthGuard): Caller | Promise<Caller> {
  if (request.is404 || hasEmptySegment(request) || routes.isOthers(request)) throw noRoute(routes.allowed(request.url), request);
  return guard.admit(request);
}

function noRoute(allow: string, { method }: FastifyRequest) {
  if (allow === '') return new ProblemError('not-found', 'There is no such route.');
  return new ProblemError('method-not-allowed', `${method} is not possible here.`, {}, { allow });
}

/** The router takes nothing for a parameter: `/tickets/` would be a ticket. */
function hasEmptySegment({ params }: FastifyRequest): boolean {
  for (const name in params as Record<string, string>) if ((params as Record<string, string>)[name] === '') return true;
  return false;
}

function welcome(request: FastifyRequest, caller: Caller) {
  request.caller = caller;
  demandHost(request);
  demandJson(request.raw, (request.routeOptions.config as { serves?: string[] } | undefined)?.serves);
  demandPlainQuery(request);
  if (isWrite(request)) request.conditions = writeConditions(request.raw);
}

/** HTTP/1.1 demands the header, once: of two, others on the way may have believed the other one. Node's own refusal is no problem as the contract words them. */
function demandHost({ raw }: FastifyRequest) {
  if (raw.headers.host === undefined && raw.httpVersion === '1.1') throw new ProblemError('malformed-request', 'Host is missing.');
  if (headerCount(raw.rawHeaders, 'host') > 1) throw new ProblemError('malformed-request', 'Host must be sent once.');
}

const isWrite = ({ method }: FastifyRequest) => method !== 'GET' && method !== 'HEAD';

/** Parameters of reads are the business of their schemas; a write takes none. */
function demandPlainQuery(request: FastifyRequest) {
  const start = request.url.indexOf('?');
  if (start < 0) return;
  if (request.url.includes('%', start) && !isDecodable(request.url.slice(start))) throw new ProblemError('malformed-request', 'The query is not percent-encoded UTF-8.');
  const query = request.query as Record<string, unknown>;
  for (const key of forbiddenKeys) if (Object.hasOwn(query, key)) throw new ProblemError('malformed-request', `The parameter ${key} is not allowed.`);
  if (!isWrite(request)) return;
  const { error } = NoQuery.safeParse(query);
  if (error) throw new ProblemError('validation-failed', 'The request is not valid.', { errors: validationErrors(error.issues, queryPointer) });
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Many clients name a type with every request. */
const noBody = { value: undefined, canonical: undefined };

/** What a route takes of bytes that are no JSON. */
const rawLimit = ({ routeOptions }: FastifyRequest) => (routeOptions.config as { rawBytes?: number } | undefined)?.rawBytes;

function unpack(request: FastifyRequest) {
  if (!(request.body instanceof Buffer) || rawLimit(request) !== undefined) return;
  const { value, canonical } = request.body.length === 0 ? noBody : parseBody(request.body);
  request.body = value;
  request.canonicalBody = canonical;
}

/** Bodies come as bytes, whatever they call themselves: their type was checked before, and the framework's own parsers are closed. */
function takeBodies(app: NestFastifyApplication) {
  app.useBodyParser('*', { bodyLimit: limits.requestBytes }, (_request: unknown, body: Buffer, done: (error: null, body: Buffer) => void) => done(null, body));
  const http = app.getHttpAdapter().getInstance();
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('*', (request, _payload, done) => readBody(request.raw, rawLimit(request) ?? limits.requestBytes, done));
}

/** Slow senders hold a connection for half a minute at most; idle ones are kept a little longer than load balancers keep theirs. */
function limitConnections(app: NestFastifyApplication) {
  const server: Server = app.getHttpServer();
  refuseExpectations(server);
  refuseConnecting(server);
  Object.assign(server, { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 72_000, connectionsCheckingInterval: 5_000, requireHostHeader: false });
}

/** A connection whose request was under way when the stop began is idle after its answer, and would hold the stop up until its client leaves. */
function letGoWhenStopping(app: NestFastifyApplication) {
  const server: Server = app.getHttpServer();
  let isStopping = false;
  const http = app.getHttpAdapter().getInstance();
  http.addHook('preClose', (done) => {
    isStopping = true;
    done();
  });
  http.addHook('onResponse', (_request, _reply, done) => {
    if (isStopping) setImmediate(() => server.closeIdleConnections());
    done();
  });
}

function measure(request: FastifyRequest, { statusCode }: FastifyReply) {
  const route = request.routeOptions.url ?? 'unknown';
  const ms = performance.now() - request.cameAt;
  requestSeconds.observe({ route, method: request.method, status: statusCode }, ms / 1_000);
  const line = { msg: 'request', method: request.method, url: loggedUrl(request.url), status: statusCode, ms: Math.round(ms) };
  if (statusCode > 500) logger.warn(line);
  else logger.debug(line);
}

/** Runs a check of a hook, and what follows it; stays synchronous where the check does. */
function guarded<T>(done: Done, check: () => T | Promise<T>, then: (value: T) => void = () => undefined) {
  const next = (value: T) => {
    try {
      then(value);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
  try {
    const value = check();
    if (value instanceof Promise) value.then(next, done);
    else next(value);
  } catch (error) {
    done(error as Error);
  }
}
