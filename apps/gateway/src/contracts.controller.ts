import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DeadLetterReason, messageValue, problems, type MessageType, type ProblemName } from '#contracts';
import { open } from './health.controller.js';
import { Operation, Page, type OperationText } from './operation.js';
import { ofSwaggerUi, published, PublishedFiles } from './published-files.js';

const told = (text: Pick<OperationText, 'id' | 'summary' | 'problems'>, description: string): OperationText => ({
  ...text,
  tag: 'Contracts',
  description: 'Needs no sign-in.',
  headers: ['If-None-Match'],
  answers: { 200: { description, body: z.looseObject({}), headers: ['ETag', 'Cache-Control'] }, 304: { description: 'It is what the caller has.', headers: ['ETag', 'Cache-Control'] } },
});

const SchemaFile = z.enum((Object.keys(messageValue) as MessageType[]).map((type) => `${type}.json` as const));

/** The published contracts, for programs: anybody may read what they are to keep to. */
@Controller()
export class ContractsController {
  constructor(private readonly files: PublishedFiles) {}

  @Get('v1/openapi.json')
  @RouteConfig(open)
  @Operation(told({ id: 'getOpenApi', summary: 'This interface as OpenAPI 3.1' }, 'The OpenAPI document.'))
  openApi(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.files.send(published('openapi.json'), request, reply);
  }

  @Get('v1/asyncapi.json')
  @RouteConfig(open)
  @Operation(told({ id: 'getAsyncApi', summary: 'The topics as AsyncAPI 3' }, 'The AsyncAPI document.'))
  asyncApi(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.files.send(published('asyncapi.json'), request, reply);
  }

  @Get('schemas/:file')
  @RouteConfig(open)
  @Operation(told({ id: 'getSchema', summary: 'JSON Schema of a message', problems: ['malformed-request'] }, 'The schema, under the address that its `$id` says.'))
  schema(@Param('file', { schema: SchemaFile }) file: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.files.send(published(`schemas/${file}`), request, reply);
  }
}

const assets = {
  'reference.css': published('reference/reference.css'),
  'reference.js': published('reference/reference.js'),
  'swagger-ui.css': ofSwaggerUi('swagger-ui.css'),
  'swagger-ui.js': ofSwaggerUi('swagger-ui-bundle.js'),
} as const;
const Asset = z.enum(Object.keys(assets) as (keyof typeof assets)[]);

/** The same for people. */
@Controller('docs')
export class ReferenceController {
  constructor(private readonly files: PublishedFiles) {}

  @Get()
  @RouteConfig(open)
  @Page()
  routes(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.files.send(published('reference/index.html'), request, reply);
  }

  @Get('topics')
  @RouteConfig(open)
  @Page()
  topics(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.files.send(published('reference/topics.html'), request, reply);
  }

  @Get('problems')
  @RouteConfig(open)
  @Page()
  problems(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.files.send(published('reference/problems.html'), request, reply);
  }

  @Get('assets/:name')
  @RouteConfig(open)
  @Page()
  asset(@Param('name', { schema: Asset }) name: keyof typeof assets, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.files.send(assets[name], request, reply);
  }
}

/** A page has one address: who puts a slash behind it is led there. Nest takes the slash away where routes are made, the router does not where it looks for them. */
export function leadToPages(http: FastifyInstance): void {
  for (const page of ['/docs', '/docs/topics', '/docs/problems']) http.get(`${page}/`, { config: open }, (_, reply) => reply.redirect(page, 308));
}

const ProblemType = z.enum([...(Object.keys(problems) as ProblemName[]), ...DeadLetterReason.options]);

/** Where the `type` of a problem leads. */
@Controller('problems')
export class ProblemsController {
  @Get(':name')
  @RouteConfig(open)
  @Page()
  problem(@Param('name', { schema: ProblemType }) name: string, @Res() reply: FastifyReply) {
    return reply.redirect(`/docs/problems#${name}`, 302); // Nest has said 200 by then
  }
}
