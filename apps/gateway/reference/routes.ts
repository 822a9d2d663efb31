import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { z } from 'zod';
import type { Config } from '../src/config.js';
import { GatewayModule } from '../src/gateway.module.js';
import { operationKey, type OperationText } from '../src/operation.js';

/** A route of the public door, as its controller declares it. */
export interface Route {
  /** `get`, `post` … */
  method: string;
  /** `/v1/tickets/{id}` */
  path: string;
  /** Schemas of its parameters, as the door parses with them. */
  params: Record<string, z.ZodType>;
  query?: z.ZodType;
  body?: z.ZodType;
  /** Needs no sign-in. */
  isOpen: boolean;
  /** Undefined where nobody wrote one. */
  text?: OperationText;
}

/** Numbers that Nest keeps parameters under. */
const kinds = { body: 3, query: 4, param: 5 };

interface Argument {
  data?: string;
  schema?: z.ZodType;
}

/** Every controller of the gateway. Nothing is connected: only what the module declares is looked at. */
export const controllers = (GatewayModule.with({} as Config).controllers ?? []) as Type[];

/** Every route of the gateway but pages for people, in the order of its controllers. */
export const routes = (): Route[] => controllers.flatMap(routesOf);

function routesOf(controller: Type): Route[] {
  const handlers = Object.getOwnPropertyNames(controller.prototype).filter((name) => read(METHOD_METADATA, handlerOf(controller, name)) !== undefined);
  return handlers.filter((name) => read(operationKey, handlerOf(controller, name)) !== 'page').map((name) => routeOf(controller, name));
}

function routeOf(controller: Type, name: string): Route {
  const handler = handlerOf(controller, name);
  const given = Object.entries((Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<string, Argument>);
  const of = (kind: number) => given.filter(([key]) => key.startsWith(`${kind}:`)).map(([, argument]) => argument);
  const [query, body] = [of(kinds.query)[0]?.schema, of(kinds.body)[0]?.schema];
  const text = read(operationKey, handler) as OperationText | undefined;
  return {
    method: RequestMethod[read(METHOD_METADATA, handler) as RequestMethod].toLowerCase(),
    path: pathOf(read(PATH_METADATA, controller) as string, read(PATH_METADATA, handler) as string),
    params: Object.fromEntries(of(kinds.param).map(({ data, schema }) => [data!, schema!])),
    ...(query && { query }),
    ...(body && { body }),
    isOpen: (read(FASTIFY_ROUTE_CONFIG_METADATA, handler) as { isOpen?: boolean } | undefined)?.isOpen === true,
    ...(text && { text }),
  };
}

const handlerOf = ({ prototype }: Type, name: string) => (prototype as Record<string, unknown>)[name] as object;

function read(key: string, of: unknown): unknown {
  return typeof of === 'function' ? Reflect.getMetadata(key, of) : undefined;
}

const pathOf = (...parts: string[]) =>
  `/${parts
    .flatMap((part) => part.split('/'))
    .filter((segment) => segment !== '')
    .map((segment) => (segment.startsWith(':') ? `{${segment.slice(1)}}` : segment))
    .join('/')}`;
