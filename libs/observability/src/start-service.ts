import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyServerOptions } from 'fastify';
import type { Logger } from 'pino';
import { collectDefaultMetrics } from 'prom-client';
import type { CommonConfig } from './config.js';
import { Health } from './health.js';
import { context, createLogger, NestLogger } from './logger.js';
import { serveManagement } from './management.js';
import { ProblemFilter } from './problem.filter.js';
import { SchemaPipe } from './schema.pipe.js';
import { endSilentConnections } from './silent-connections.js';

/** The root of every service: gives all its parts their `Health`. */
@Global()
@Module({ providers: [Health], exports: [Health] })
class ServiceRoot {}

export interface ServiceOptions {
  /** The app's name: in logs, metrics, client ids and dead-letter topics. */
  name: string;
  module: Type | DynamicModule;
  config: CommonConfig;
  /**
   * Set when the service answers HTTP beside its management port. Headers of a request have at most `maxHeaderBytes` in all (16 KiB); the rest are
   * Fastify's options.
   */
  http?: { port: number; maxHeaderBytes?: number } & Omit<FastifyServerOptions, 'logger' | 'http' | 'https' | 'http2' | 'serverFactory' | 'genReqId'>;
  /** Connects transports and hooks before anything listens. */
  prepare?: (app: NestFastifyApplication) => void | Promise<void>;
}

/** A stop that takes longer is cut off, ms (contract section 7). */
const drainMs = 30_000;

/** Starts a service: validation, logs, health, metrics, problems, transports, HTTP, and a clean stop at SIGTERM or SIGINT. Ends the process with 1 when it cannot start. */
export async function startService(options: ServiceOptions): Promise<NestFastifyApplication> {
  const logger = createLogger(options.name, options.config);
  dieLoudly(logger);
  try {
    return await start(options, logger);
  } catch (error) {
    logger.fatal({ err: error }, `${options.name} cannot start`);
    process.exit(1);
  }
}

async function start({ name, module, config, http, prepare }: ServiceOptions, logger: Logger): Promise<NestFastifyApplication> {
  collectDefaultMetrics({ prefix: 'deskstream_' });
  const { port, maxHeaderBytes: maxHeaderSize = 16 * 1024, ...fastifyOptions } = http ?? { port: 0 };
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: ServiceRoot, imports: [module] },
    new FastifyAdapter({ ...fastifyOptions, http: { maxHeaderSize }, genReqId: requestId } as ConstructorParameters<typeof FastifyAdapter>[0]),
    { logger: new NestLogger(logger), abortOnError: false },
  );
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(new SchemaPipe());
  nameRequests(app);
  endSilentConnections(app);
  await prepare?.(app);
  const health = app.get(Health);
  const management = await serveManagement(health, config.HOST, config.MANAGEMENT_PORT);
  stopCleanly(app, management, health, logger);
  await app.init();
  await app.startAllMicroservices();
  if (http) await app.listen(port, config.HOST);
  logger.info({ ...(http && { url: await app.getUrl() }), management: config.MANAGEMENT_PORT }, `${name} started`);
  return app;
}

/** A caller's request id is kept when it is well-formed; it goes into logs and headers. */
const wellFormedId = /^[A-Za-z0-9._-]{1,128}$/;
function requestId(request: IncomingMessage | { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && wellFormedId.test(given) ? given : randomUUID();
}

function nameRequests(app: NestFastifyApplication) {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      void reply.header('x-request-id', request.id);
      context.run({ requestId: request.id }, done);
    });
}

function stopCleanly(app: NestFastifyApplication, management: Server, health: Health, logger: Logger) {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    health.stop();
    logger.info(`stopping at ${signal}`);
    setTimeout(() => cutOff(logger), drainMs - 1_000).unref();
    await app.close();
    management.close();
    management.closeAllConnections();
    logger.info('stopped');
    process.exit(); // with the code of whoever asked for the stop: a stalled consumer has set one
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void stop(signal).catch((error: unknown) => fail(logger, error, 'stop failed')));
  }
}

function cutOff(logger: Logger) {
  logger.error('what was under way did not end in time and is cut off');
  process.exit(1);
}

function dieLoudly(logger: Logger) {
  process.on('uncaughtException', (error) => fail(logger, error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => fail(logger, error, 'unhandled rejection'));
}

function fail(logger: Logger, error: unknown, message: string): never {
  logger.fatal({ err: error }, message);
  process.exit(1);
}
