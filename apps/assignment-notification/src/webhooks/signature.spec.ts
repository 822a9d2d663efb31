import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { signedHeaders } from './signature.js';

const secret = (letter: string, validUntil: string | null) => ({ key: Buffer.from(letter.repeat(32)).toString('base64'), createdAt: '2026-01-01T00:00:00.000Z', validUntil });
const verified = (key: string, body: string, headers: Record<string, string>) => new Webhook(`whsec_${key}`).verify(body, headers);

describe('the signature of a delivery', () => {
  const at = new Date();
  const later = new Date(at.getTime() + 1_000).toISOString();
  const body = JSON.stringify({ text: 'ä “€” 😀' });

  it('is what Standard Webhooks verifies, by every secret that is valid', () => {
    const [newest, older, ended] = [secret('a', null), secret('b', later), secret('c', at.toISOString())];
    const headers = signedHeaders({ id: 'one:1', at, body }, [newest, older, ended]);
    expect(verified(newest.key, body, headers)).toEqual(JSON.parse(body));
    expect(verified(older.key, body, headers)).toEqual(JSON.parse(body));
    expect(() => verified(ended.key, body, headers)).toThrow('No matching signature');
    expect(headers['webhook-signature']!.split(' ')).toHaveLength(2);
  });

  it('is of no other text, id or time', () => {
    const one = secret('a', null);
    const headers = signedHeaders({ id: 'one:1', at, body }, [one]);
    expect(() => verified(one.key, `${body} `, headers)).toThrow();
    expect(() => verified(one.key, body, { ...headers, 'webhook-id': 'one:2' })).toThrow();
    expect(() => verified(one.key, body, { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) })).toThrow();
  });
});
