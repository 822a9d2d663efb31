import { RoundTransport } from '#messaging';
import { Health, readConfig, startService } from '#observability';
import { Config } from './src/config.js';
import { DeadCommands } from './src/dead-commands.js';
import { InboundSystems } from './src/inbound/inbound-systems.js';
import { STORE, TicketCommandModule } from './src/ticket-command.module.js';
import type { Database } from '#persistence';

const config = readConfig(Config);

await startService({
  name: 'ticket-command',
  module: TicketCommandModule.with(config),
  config,
  prepare: (app) => {
    const store = app.get<Database>(STORE);
    const transport = new RoundTransport({
      brokers: config.KAFKA_BROKERS,
      service: 'ticket-command',
      isStoreHealthy: () => store.healthy(),
      deadLetters: app.get(DeadCommands),
    });
    const systems = app.get(InboundSystems);
    const health = app.get(Health);
    health.check('mongodb', () => store.healthy());
    health.check('kafka', () => transport.health().ready && systems.isReady);
    health.liveness(() => transport.health().live);
    app.connectMicroservice({ strategy: transport });
    systems.readBy(transport);
  },
});
