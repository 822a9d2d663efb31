import { RecordProducer, RoundTransport } from '#messaging';
import { Health, readConfig, startService } from '#observability';
import type { Database } from '#persistence';
import { Config } from './src/config.js';
import { doorOptions, openDoor } from './src/door.js';
import { GatewayModule, STORE } from './src/gateway.module.js';

const config = readConfig(Config);

await startService({
  name: 'gateway',
  module: GatewayModule.with(config),
  config,
  http: { port: config.PORT, ...doorOptions },
  prepare: (app) => {
    openDoor(app);
    const store = app.get<Database>(STORE);
    const producer = app.get(RecordProducer);
    const transport = new RoundTransport({ brokers: config.KAFKA_BROKERS, service: 'gateway', isStoreHealthy: async () => true });
    const health = app.get(Health);
    health.check('mongodb', () => store.healthy());
    health.check('mongodb', () => app.get(GatewayModule).isFilled);
    health.check('kafka', () => producer.healthy);
    health.check('kafka', () => transport.health().ready);
    health.liveness(() => transport.health().live);
    app.connectMicroservice({ strategy: transport });
  },
});
