import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { NameServer, Receiver } from '../../testing/receiver.js';
import { Addresses } from './addresses.js';
import { HttpSender } from './http-sender.js';

let receiver: Receiver;
let names: NameServer;
let sender: HttpSender;

beforeAll(async () => {
  [receiver, names] = await Promise.all([Receiver.open(), NameServer.open()]);
  sender = new HttpSender(new Addresses({ allowLoopback: true, dnsServers: [names.address] }));
});
afterAll(async () => {
  await Promise.all([sender?.close(), receiver?.close()]);
  names?.close();
});
afterEach(() => {
  receiver.received.length = 0;
  receiver.answer = (response) => response.end('ok');
});

const post = (url: string, ms = 60_000) => sender.post(new URL(url), { headers: { 'content-type': 'application/json' }, body: '{"a":1}', signal: AbortSignal.timeout(ms) });

describe('a delivery over HTTP', () => {
  it('is a POST whose answer is read', async () => {
    expect(await post(receiver.url)).toMatchObject({ status: 200, text: 'ok' });
    expect(receiver.received[0]!.body).toEqual({ a: 1 });
  });

  it('reaches localhost by whichever of its addresses answers', async () => {
    expect(await post(`http://localhost:${receiver.port}/`)).toMatchObject({ status: 200 });
  });

  it('follows no redirect', async () => {
    const inside = await Receiver.open();
    receiver.answer = (response) => response.writeHead(307, { location: inside.url }).end();
    expect(await post(receiver.url)).toMatchObject({ status: 307 });
    expect(inside.received).toEqual([]);
    await inside.close();
  });

  it('reads no more of an answer than 64 KiB, however much comes', async () => {
    let written = 0;
    receiver.answer = (response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) written += 65_536;
      };
      response.on('drain', more);
      response.on('error', () => undefined);
      more();
    };
    const { status, text } = await post(receiver.url);
    expect([status, text.length]).toEqual([200, 65_536]);
    expect(written).toBeLessThan(50_000_000);
  });

  it('ends in time where the answer comes drop by drop, in its head or in its body', async () => {
    receiver.answer = (response) => {
      response.writeHead(200);
      const drops = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(drops));
    };
    await expect(post(receiver.url, 500)).rejects.toThrow(/timeout/);
    const slow = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 200 OK\r\nx-a: ');
      const drops = setInterval(() => socket.write('x'), 50);
      socket.on('close', () => clearInterval(drops));
    }).listen(0, '127.0.0.1');
    await once(slow, 'listening');
    await expect(post(`http://127.0.0.1:${(slow.address() as AddressInfo).port}/`, 500)).rejects.toThrow(/timeout/);
    slow.close();
  });

  it('goes nowhere where a name leads inward, by one of its addresses even, and by none that was public a moment ago', async () => {
    const before = receiver.connections;
    names.says = () => ['127.0.0.1'];
    await expect(post(`https://inward.example:${receiver.port}/`)).rejects.toThrow('not at a public address');
    names.says = () => ['93.184.216.34', '10.0.0.1'];
    await expect(post('https://half.example/')).rejects.toThrow('not at a public address');
    names.says = () => ['::ffff:127.0.0.1'];
    await expect(post('https://mapped.example/')).rejects.toThrow('not at a public address');
    names.says = () => [];
    await expect(post('https://nowhere.example/')).rejects.toThrow();
    await expect(post(`http://inward.example:${receiver.port}/`)).rejects.toThrow('only https');
    expect(receiver.connections).toBe(before);
  });

  it('connects to the addresses that were looked at: a name that leads elsewhere by then changes nothing', async () => {
    const [asked, before] = [names.asked.length, receiver.connections];
    let answers = 0;
    names.says = () => ((answers += 1) <= 2 ? ['93.184.216.34'] : ['127.0.0.1']);
    await expect(post(`https://rebinding.example:${receiver.port}/`, 3_000)).rejects.toThrow(/timeout|connect/i);
    expect(names.asked.length - asked).toBe(1);
    expect(receiver.connections).toBe(before);
  });

  it('ends in time where name servers do not answer', async () => {
    const silent = new HttpSender(new Addresses({ allowLoopback: false, dnsServers: ['127.0.0.1:9'] }));
    await expect(silent.post(new URL('https://a.example/'), { headers: {}, body: '', signal: AbortSignal.timeout(300) })).rejects.toThrow();
    await silent.close();
  });
});
