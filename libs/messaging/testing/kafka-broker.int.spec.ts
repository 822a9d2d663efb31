import { brokerSuite } from './broker.suite.js';
import { kafkaBroker } from './kafka-broker.js';

brokerSuite('Kafka', kafkaBroker);
