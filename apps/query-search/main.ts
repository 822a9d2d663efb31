import { RoundTransport } from '#messaging';
import { Health, readConfig, startService } from '#observability';
import type { Database } from '#persistence';
import { Config } from './src/config.js';
import { Generations } from './src/generations/generations.js';
import { QuerySearchModule } from './src/query-search.module.js';
import { tellLag } from './src/projection-lag.js';
import { STORE } from './src/store.js';

/** An assertion names all assistants of somebody, up to 10,000 with 64 characters each, bytes. */
const largestAssertion = 1024 * 1024;

const config = readConfig(Config);

await startService({
  name: 'query-search',
  module: QuerySearchModule.with(config),
  config,
  http: { port: config.PORT, maxHeaderBytes: largestAssertion, routerOptions: { maxParamLength: 500 } },
  prepare: (app) => {
    const store = app.get<Database>(STORE);
    const generations = app.get(Generations);
    const transport = new RoundTransport({ brokers: config.KAFKA_BROKERS, service: 'query-search', isStoreHealthy: () => store.healthy() });
    const health = app.get(Health);
    health.check('mongodb', () => store.healthy());
    health.check('kafka', () => transport.health().ready && generations.health.ready);
    health.remark('rebuild', () => generations.renewal());
    health.liveness(() => transport.health().live && generations.health.live);
    app.connectMicroservice({ strategy: transport });
    tellLag(app, generations);
  },
});
