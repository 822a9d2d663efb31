import { describe, expect, it } from '@jest/globals';
import { KafkaAccess } from './config.js';

const flaws = (env: Record<string, string>) => KafkaAccess.safeParse(env).error?.issues.map(({ path }) => path.join()) ?? [];

describe('access to Kafka', () => {
  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['a name and a password', { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_USERNAME: 'gateway', KAFKA_PASSWORD: 'x' }],
    ['certificates of our own', { KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: '/ca.pem' }],
  ])('may be %s', (_, env) => expect(flaws(env)).toEqual([]));

  it.each<[string, Record<string, string>, string[]]>([
    ['an unknown mechanism', { KAFKA_SASL_MECHANISM: 'gssapi', KAFKA_USERNAME: 'x', KAFKA_PASSWORD: 'x' }, ['KAFKA_SASL_MECHANISM']],
    ['a mechanism alone', { KAFKA_SASL_MECHANISM: 'plain' }, ['KAFKA_USERNAME', 'KAFKA_PASSWORD']],
    ['a password without a mechanism', { KAFKA_PASSWORD: 'x' }, ['KAFKA_SASL_MECHANISM']],
    ['certificates without encryption', { KAFKA_SSL_CA_FILE: '/ca.pem' }, ['KAFKA_SSL']],
    ['something else than true or false', { KAFKA_SSL: 'yes' }, ['KAFKA_SSL']],
  ])('is not %s', (_, env, wrong) => expect(flaws(env)).toEqual(wrong));
});
