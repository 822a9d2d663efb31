import { describe, expect, it, jest } from '@jest/globals';
import { Health } from './health.js';

describe('readiness', () => {
  it('needs every probe, and no remark', async () => {
    const health = new Health();
    health.check('kafka', () => true);
    health.check('mongodb', () => true);
    health.remark('rebuild', () => Promise.reject(new Error('the store is away')));
    expect(await health.ready()).toEqual({ status: 'up', checks: { kafka: 'up', mongodb: 'up' } });
    health.check('mongodb', () => Promise.reject(new Error('the store is away')));
    expect(await health.ready()).toEqual({ status: 'down', checks: { kafka: 'up', mongodb: 'down' } });
  });

  it('tells a remark under its name while there is something to tell; liveness tells none', async () => {
    const health = new Health();
    let told: object | undefined = { label: 'events', done: 1, total: 4 };
    health.remark('rebuild', async () => told);
    expect([await health.ready(), health.live()]).toEqual([{ status: 'up', checks: {}, rebuild: told }, { status: 'up', checks: {} }]);
    told = undefined;
    expect(await health.ready()).toEqual({ status: 'up', checks: {} });
  });

  it('waits for nobody longer than a probe may take', async () => {
    jest.useFakeTimers();
    try {
      const health = new Health();
      health.check('kafka', () => new Promise(() => undefined));
      health.remark('rebuild', () => new Promise(() => undefined));
      const ready = health.ready();
      await jest.advanceTimersByTimeAsync(2_000);
      expect(await ready).toEqual({ status: 'down', checks: { kafka: 'down' } });
    } finally {
      jest.useRealTimers();
    }
  });
});
