import { jest } from '@jest/globals';
import { brokerSuite } from './broker.suite.js';
import { kafkaBroker } from './kafka-broker.js';

jest.setTimeout(60_000);
brokerSuite('Kafka', kafkaBroker);
