import { describe, expect, it } from '@jest/globals';
import { Addresses, hostOf, isPublic } from './addresses.js';

describe('an address', () => {
  it.each(['8.8.8.8', '1.1.1.1', '100.63.255.255', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001:829::200e'])('%s is of the internet', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1'],
    ...['192.168.1.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:a00:1', '::ffff:0:10.0.0.1', '64:ff9b::a00:1', '64:ff9b:1::a00:1', '100::1', '2001::1', '2001:db8::1', '2002:a00:1::1'],
    ...['3fff::1', '5f00::1', 'fc00::1', 'fd12::1', 'fe80::1', 'fec0::1', 'ff02::1'],
  ])('%s is not', (address) => {
    expect(isPublic(address)).toBe(false);
  });
});

const urls = {
  own: ['http://127.0.0.1:1/', 'http://localhost/', 'http://[::1]/', 'http://2130706433/', 'http://0x7f.1/', 'http://0177.0.0.1/', 'https://127.1/', 'https://[::ffff:7f00:1]/'],
  inward: ['https://10.0.0.1/', 'https://167772161/', 'https://0xa000001/', 'https://012.0.0.1/', 'https://[::ffff:10.0.0.1]/', 'https://[fd00::1]/', 'https://169.254.169.254/latest/meta-data', 'https://0/', 'https://１０.0.0.1/'],
};

describe('a host', () => {
  const strict = new Addresses({ allowLoopback: false });
  const local = new Addresses({ allowLoopback: true });
  const host = (url: string) => hostOf(new URL(url));

  it.each([...urls.own, ...urls.inward])('%s is nowhere to send to', async (url) => {
    expect([strict.mayBeAt(host(url)), strict.mayBePlain(new URL(url))]).toEqual([false, false]);
    await expect(strict.of(host(url))).rejects.toThrow('not at a public address');
  });

  it.each(urls.own)('%s is for local runs', async (url) => {
    expect([local.mayBeAt(host(url)), local.mayBePlain(new URL(url))]).toEqual([true, true]);
    expect((await local.of(host(url))).length).toBeGreaterThan(0);
  });

  it.each(urls.inward)('%s is not, even then', async (url) => {
    expect([local.mayBeAt(host(url)), local.mayBePlain(new URL(url))]).toEqual([false, false]);
    await expect(local.of(host(url))).rejects.toThrow('not at a public address');
  });
});
