import { brokerSuite, eventually, type BrokerUnderTest } from './broker.suite.js';
import { InMemoryBroker } from './in-memory-broker.js';

function inMemory(): BrokerUnderTest {
  const broker = new InMemoryBroker();
  let topics = 0;
  return {
    newTopic: async () => {
      const topic = `topic-${topics++}`;
      broker.createTopic(topic);
      broker.createTopic(`dead.spec.${topic}`);
      return topic;
    },
    send: (records) => broker.send(records),
    subscribe: async (service, options, handle) => {
      const subscription = broker.subscribe(service, options, handle);
      await eventually(() => subscription.health().ready);
      return subscription;
    },
    read: async (topic) => broker.records(topic),
    setStoreHealthy: (isHealthy) => (broker.isStoreHealthy = isHealthy),
    close: async () => undefined,
  };
}

brokerSuite('in-memory broker', inMemory);
