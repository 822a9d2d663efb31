import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Puts on every answer how far the views may be behind the events, ms; nothing while that is not known yet. */
export function tellLag(app: NestFastifyApplication, views: { readonly lagMs: number | undefined }): void {
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onSend', (_request, reply, payload, done) => {
    const { lagMs } = views;
    if (lagMs !== undefined) void reply.header('x-projection-lag-ms', String(Math.round(lagMs)));
    done(null, payload);
  });
}
