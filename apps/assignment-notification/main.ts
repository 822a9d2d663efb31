import { maxInboundEmailBytes } from '#contracts';
import { RoundTransport } from '#messaging';
import { Health, readConfig, startService } from '#observability';
import type { Database } from '#persistence';
import { AssignmentNotificationModule } from './src/assignment-notification.module.js';
import { Config } from './src/config.js';
import { OutboundStreams } from './src/outbound/outbound-streams.js';
import { STORE } from './src/store.js';

/** An assertion names all assistants of somebody, up to 10,000 with 64 characters each, bytes. */
const largestAssertion = 1024 * 1024;

/** The id of a person has up to 255 characters. */
const longestParameter = 2 * 255;

const config = readConfig(Config);

await startService({
  name: 'assignment-notification',
  module: AssignmentNotificationModule.with(config),
  config,
  http: { port: config.PORT, maxHeaderBytes: largestAssertion, routerOptions: { maxParamLength: longestParameter } },
  prepare: (app) => {
    app.useBodyParser('message/rfc822', { bodyLimit: maxInboundEmailBytes });
    const store = app.get<Database>(STORE);
    const transport = new RoundTransport({ brokers: config.KAFKA_BROKERS, service: 'assignment-notification', isStoreHealthy: () => store.healthy() });
    const streams = app.get(OutboundStreams);
    const health = app.get(Health);
    health.check('mongodb', () => store.healthy());
    health.check('kafka', () => transport.health().ready && streams.isReady);
    health.liveness(() => transport.health().live);
    app.connectMicroservice({ strategy: transport });
    streams.readBy(transport);
  },
});
