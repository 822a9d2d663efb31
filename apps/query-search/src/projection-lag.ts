import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { GroupProgress } from '#messaging';

/** Puts on every answer how far the views may be behind the events, ms; nothing while that is not known yet. */
export function tellLag(app: NestFastifyApplication, progress: Pick<GroupProgress, 'lagMs' | 'start' | 'stop'>): void {
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onSend', async (_request, reply) => {
    const { lagMs } = progress;
    if (lagMs !== undefined) void reply.header('x-projection-lag-ms', String(Math.round(lagMs)));
  });
  server.addHook('onClose', () => progress.stop());
  progress.start();
}
