import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '#observability';

const [pack, unpack] = [promisify(gzip), promisify(gunzip)];

/** A file as it is kept: packed, since nearly everybody takes it so. */
interface Prepared {
  packed: Buffer;
  /** Weak: it names both codings. */
  etag: string;
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};

/** Pages take what they need from here and from nowhere else. */
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const root = packageAround(import.meta.dirname);
const swaggerUi = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** The nearest folder around another one that has a package.json. */
function packageAround(folder: string): string {
  return existsSync(join(folder, 'package.json')) || folder === dirname(folder) ? folder : packageAround(dirname(folder));
}

/** A file that comes with the gateway. */
export const inPackage = (path: string) => join(root, path);
/** A file of the published contracts, by its path below `docs/`. */
export const published = (path: string) => inPackage(join('docs', path));
/** A file of Swagger UI. */
export const ofSwaggerUi = (name: string) => join(swaggerUi, name);

/** Serves files that do not change while the process runs. Each is read when it is first asked for. */
@Injectable()
export class PublishedFiles {
  private readonly prepared = new Map<string, Promise<Prepared>>();

  /** Answers with a file, or with 304 when the caller has it. @throws ProblemError 404 when there is none */
  async send(file: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { packed, etag } = await this.prepare(file);
    void reply.headers({ etag, 'cache-control': 'public, max-age=300', vary: 'accept-encoding' });
    if (extname(file) === '.html') void reply.header('content-security-policy', pagePolicy);
    if (has(request, etag)) return void reply.code(304).send();
    void reply.header('content-type', types[extname(file)]!);
    if (takesGzip(request)) return void reply.header('content-encoding', 'gzip').send(packed);
    void reply.send(await unpack(packed));
  }

  private prepare(file: string): Promise<Prepared> {
    const known = this.prepared.get(file);
    if (known) return known;
    const preparing = prepare(file);
    this.prepared.set(file, preparing);
    preparing.catch(() => this.prepared.delete(file));
    return preparing;
  }
}

async function prepare(file: string): Promise<Prepared> {
  const content = await readFile(file).catch(missing);
  return { packed: await pack(content), etag: `W/"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"` };
}

function missing(cause: NodeJS.ErrnoException): never {
  if (cause.code !== 'ENOENT') throw cause;
  throw Object.assign(new ProblemError('not-found', 'There is no such document.'), { cause });
}

/** RFC 9110: compared weakly; `*` is any. */
const has = ({ headers }: FastifyRequest, etag: string) =>
  (headers['if-none-match'] ?? '').split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag.slice('W/'.length));

const takesGzip = ({ headers }: FastifyRequest) => /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))|,|$)/i.test(String(headers['accept-encoding'] ?? ''));
