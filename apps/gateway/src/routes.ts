import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';

/** The routes that exist, for telling a wrong method from a wrong path. */
export class KnownRoutes {
  private readonly routes: { segments: string[]; methods: Set<string> }[] = [];
  /** Paths without parameters. */
  private readonly named = new Set<string>();

  /** Learns every route that is registered from now on. */
  learn(http: FastifyInstance): void {
    http.addHook('onRoute', ({ url, method }: RouteOptions) => {
      const known = this.routes.find(({ segments }) => segments.join('/') === url);
      const methods = known?.methods ?? new Set<string>();
      for (const one of [method].flat()) methods.add(one);
      if (!known) this.routes.push({ segments: url.split('/'), methods });
      if (!url.includes(':')) this.named.add(url);
    });
  }

  /** Whether the router took a path that is named for a parameter's, since the one that is named does not have the method. */
  isOthers({ url, routeOptions }: Pick<FastifyRequest, 'url' | 'routeOptions'>): boolean {
    return routeOptions.url?.includes(':') === true && this.named.has(url.split('?', 1)[0]!);
  }

  /** Methods that the path of a URL takes, as `Allow` lists them; empty for an unknown path. A path that is named is none of the parameters' paths. */
  allowed(url: string): string {
    const path = decoded(url.split('?', 1)[0]!.split('/'));
    const matching = this.routes.filter(({ segments }) => matches(segments, path));
    const best = matching.map(({ segments }) => rank(segments)).sort()[0];
    const methods = matching.filter(({ segments }) => rank(segments) === best).flatMap((route) => [...route.methods]);
    return [...new Set(methods)].sort().join(', ');
  }
}

const matches = (segments: readonly string[], path: readonly string[]) =>
  segments.length === path.length && segments.every((segment, i) => (segment.startsWith(':') ? path[i] !== '' : segment === path[i]));

/** Sorts as the router chooses: the first literal segment wins over a parameter in its place. */
const rank = (segments: readonly string[]) => segments.map((segment) => (segment.startsWith(':') ? '1' : '0')).join('');

function decoded(segments: readonly string[]): string[] {
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return [];
  }
}
