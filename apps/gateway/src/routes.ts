import type { FastifyInstance, RouteOptions } from 'fastify';

/** The routes that exist, for telling a wrong method from a wrong path. */
export class KnownRoutes {
  private readonly routes: { segments: string[]; methods: Set<string> }[] = [];

  /** Learns every route that is registered from now on. */
  learn(http: FastifyInstance): void {
    http.addHook('onRoute', ({ url, method }: RouteOptions) => {
      const known = this.routes.find(({ segments }) => segments.join('/') === url);
      const methods = known?.methods ?? new Set<string>();
      for (const one of [method].flat()) methods.add(one);
      if (!known) this.routes.push({ segments: url.split('/'), methods });
    });
  }

  /** Methods that the path of a URL takes, as `Allow` lists them; empty for an unknown path. */
  allowed(url: string): string {
    const path = decoded(url.split('?', 1)[0]!.split('/'));
    const methods = this.routes.filter(({ segments }) => matches(segments, path)).flatMap((route) => [...route.methods]);
    return [...new Set(methods)].sort().join(', ');
  }
}

const matches = (segments: readonly string[], path: readonly string[]) =>
  segments.length === path.length && segments.every((segment, i) => (segment.startsWith(':') ? path[i] !== '' : segment === path[i]));

function decoded(segments: readonly string[]): string[] {
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return [];
  }
}
