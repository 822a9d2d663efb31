import { describe, expect, it } from '@jest/globals';
import { SseParser } from './sse.js';

const read = (pieces: string[], lastId = '') => {
  const parser = new SseParser(lastId);
  return pieces.flatMap((piece) => parser.push(piece));
};

const stream = ': hello\n\nid: 1\ndata: a\n\n:\nid:2\r\nevent: x\r\ndata:b\r\ndata: c: d\r\n\r\ndata: e\r\rid\ndata\n\ndata: unfinished\n';
const messages = [
  { id: '1', data: 'a' },
  { id: '2', data: 'b\nc: d', event: 'x' },
  { id: '2', data: 'e' },
  { id: '', data: '' },
];

describe('server-sent events', () => {
  it('are read with every end of line; comments and what is not finished say nothing', () => expect(read([stream])).toEqual(messages));

  it('are read however the stream is cut', () => {
    expect(read([...stream])).toEqual(messages);
    for (let cut = 1; cut < stream.length; cut++) expect(read([stream.slice(0, cut), stream.slice(cut)])).toEqual(messages);
  });

  it('keep the id of the connection before until there is a new one; one with U+0000 is none', () => {
    expect(read(['data: a\n\nid: x\0y\ndata: b\n\nid: 9\ndata: c\n\n'], '7').map(({ id }) => id)).toEqual(['7', '7', '9']);
  });

  it('say how long to wait before a new connection', () => {
    const parser = new SseParser('');
    parser.push('retry: soon\n');
    expect(parser.retryMs).toBe(0);
    parser.push('retry: 1500\n');
    expect(parser.retryMs).toBe(1_500);
  });
});
