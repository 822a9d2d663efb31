import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/**
 * Ends connections that never brought a request when the service stops. They are not idle to Node, which would wait for them; a client's pool
 * opens one ahead whenever an answer was left before its end.
 */
export function endSilentConnections(app: NestFastifyApplication): void {
  const server: Server = app.getHttpServer();
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  const http = app.getHttpAdapter().getInstance();
  http.addHook('preClose', (done) => {
    for (const socket of silent) socket.destroy();
    done();
  });
}
