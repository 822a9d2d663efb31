import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { ada } from '../../../libs/contracts/testing/builders.js';
import { Running } from '../testing/running.js';

it('a stop waits for no connection that never brought a request', async () => {
  const service = await Running.start();
  const silent = connect(Number(new URL(service.url).port), '127.0.0.1');
  await once(silent, 'connect');
  await service.get(ada, '/tickets'); // comes later, so the other one is known too
  const began = Date.now();
  await Promise.all([once(silent, 'close'), service.stop()]);
  expect(Date.now() - began).toBeLessThan(5_000);
});
