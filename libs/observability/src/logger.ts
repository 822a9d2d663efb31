import { AsyncLocalStorage } from 'node:async_hooks';
import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { CommonConfig } from './config.js';

/** What every line logged during a request carries. */
export const context = new AsyncLocalStorage<{ requestId: string }>();

/** Values that must never reach a log. */
const redact = { paths: ['authorization', '*.authorization', 'headers.authorization', 'token', '*.token', 'secret', '*.secret'], censor: '[redacted]' };

/** The process's logger: JSON lines, or readable ones for a terminal. */
export function createLogger(name: string, { LOG_LEVEL: level, LOG_FORMAT: format }: Pick<CommonConfig, 'LOG_LEVEL' | 'LOG_FORMAT'>): Logger {
  const options = { name, level, redact, base: { service: name, pid: process.pid }, mixin: () => context.getStore() ?? {} };
  return format === 'pretty' ? pino(options, pretty({ ignore: 'pid,name,service', translateTime: 'SYS:HH:MM:ss.l', sync: true })) : pino(options);
}

/** The framework's own account of how it starts: of use when it does not. */
const startUp = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication', 'NestMicroservice']);

/** Nest's logger on top of pino. A message may be an object: its fields become fields of the line. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log = (message: unknown, ...rest: unknown[]) => this.write(startUp.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  warn = (message: unknown, ...rest: unknown[]) => this.write('warn', message, rest);
  error = (message: unknown, ...rest: unknown[]) => this.write('error', message, rest);
  fatal = (message: unknown, ...rest: unknown[]) => this.write('fatal', message, rest);
  debug = (message: unknown, ...rest: unknown[]) => this.write('debug', message, rest);
  verbose = (message: unknown, ...rest: unknown[]) => this.write('trace', message, rest);

  /** Nest appends the logger's own name as the last argument, and a stack before it for errors. */
  private write(level: 'info' | 'warn' | 'error' | 'fatal' | 'debug' | 'trace', message: unknown, rest: unknown[]) {
    const scope = rest.at(-1);
    const stack = rest.length > 1 && typeof rest[0] === 'string' ? { stack: rest[0] } : {};
    const fields = { ...(typeof scope === 'string' && { scope }), ...stack };
    if (message instanceof Error) this.logger[level]({ ...fields, err: message }, message.message);
    else if (typeof message === 'object' && message !== null) this.logger[level]({ ...fields, ...message });
    else this.logger[level](fields, String(message));
  }
}
