import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { endSilentConnections } from './silent-connections.js';

it('a stop waits for no connection that never brought a request', async () => {
  const app = (await Test.createTestingModule({}).compile()).createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  endSilentConnections(app);
  await app.listen(0, '127.0.0.1');
  const silent = connect(Number(new URL(await app.getUrl()).port), '127.0.0.1');
  await once(silent, 'connect');
  expect((await fetch(await app.getUrl())).status).toBe(404); // comes later, so the other one is known too
  const ended = once(silent, 'close');
  await Promise.all([app.close(), ended]);
});
