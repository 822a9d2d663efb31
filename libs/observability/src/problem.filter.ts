import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem, problems, type Problem, type ProblemName } from '#contracts';
import { loggedUrl } from './logged-url.js';

/** An answer that is a problem (RFC 9457). Thrown anywhere behind an HTTP door, written by the filter. */
export class ProblemError extends Error {
  readonly problem: Problem;

  /**
   * @param extra members of the problem of its own
   * @param headers of the answer, such as `retry-after`
   */
  constructor(name: ProblemName, detail: string, extra: Record<string, unknown> = {}, readonly headers: Record<string, string> = {}) {
    super(detail);
    this.name = 'ProblemError';
    this.problem = problem(name, detail, extra);
  }
}

/** What the frameworks' own errors are called here, by their codes. */
const frameworkErrors: Record<string, [ProblemName, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload-too-large', 'The body is too large.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'Send application/json.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-request', 'The body is empty.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-request', 'The body is not as long as announced.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed-request', 'The body is not JSON.'],
  FST_ERR_BAD_URL: ['malformed-request', 'The path is not a valid URL path.'],
};

const byStatus = new Map<number, ProblemName>([
  [400, 'malformed-request'],
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [405, 'method-not-allowed'],
  [406, 'not-acceptable'],
  [413, 'payload-too-large'],
  [415, 'unsupported-media-type'],
  [503, 'dependency-unavailable'],
]);

/** The problem that an error is for the caller. What is our fault says nothing but that. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { code } = marksOf(error);
  const known = typeof code === 'string' ? frameworkErrors[code] : undefined;
  if (known) return new ProblemError(...known);
  const status = statusOf(error);
  const name = byStatus.get(status) ?? (status >= 400 && status < 500 ? 'malformed-request' : 'internal-error');
  return new ProblemError(name, name === 'internal-error' ? 'The request id helps us to find out what.' : `${problems[name][1]}.`);
}

/** What Fastify writes on its errors. */
const marksOf = (error: unknown) => (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; statusCode?: unknown };

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = marksOf(error);
  return typeof statusCode === 'number' ? statusCode : 500;
}

/** Writes a problem as the answer to a request. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, { problem, headers }: ProblemError): void {
  const body = { ...problem, instance: request.url.split('?', 1)[0], requestId: request.id };
  void reply.code(problem.status).headers(headers).header('content-type', 'application/problem+json').send(JSON.stringify(body));
}

/** Answers every error of an HTTP door with a problem; logs those that are ours. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const answer = problemOf(error);
    if (answer.problem.status === 500) this.logger.error({ msg: 'request failed', method: request.method, url: loggedUrl(request.url), err: error });
    sendProblem(request, http.getResponse<FastifyReply>(), answer);
  }
}
