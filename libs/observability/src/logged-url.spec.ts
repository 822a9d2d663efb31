import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { loggedUrl } from './logged-url.js';
import { ProblemFilter } from './problem.filter.js';

const key = 'dsk_0b6e1f7e-0000-4000-8000-000000000000_abcDEF-_123';

describe('a logged address', () => {
  it.each([
    ['/v1/tickets', '/v1/tickets'],
    ['/v1/tickets?q=ada@example.com&page=2', '/v1/tickets?q=…&page=…'],
    [`/v1/tickets?q=${key}`, '/v1/tickets?q=…'],
    [`/v1/tickets?${key}`, '/v1/tickets?dsk_…'],
    [`/v1/tickets?${key}=1`, '/v1/tickets?dsk_…=…'],
    [`/v1/api-keys/${key}`, '/v1/api-keys/dsk_…'],
    [`/v1/api-keys/${key.replace('_', '%5F')}?a`, '/v1/api-keys/dsk_…?a'],
    ['/v1/tickets?q=a?b=c', '/v1/tickets?q=…'],
  ])('of %s shows %s', (url, expected) => expect(loggedUrl(url)).toBe(expected));

  it('is what the log says of a request that failed', () => {
    const said = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const reply = { code: () => reply, headers: () => reply, header: () => reply, send: () => reply };
    const http = { getRequest: () => ({ method: 'GET', id: '1', url: `/v1/tickets?q=${key}` }), getResponse: () => reply };
    new ProblemFilter().catch(new Error('ours'), { switchToHttp: () => http } as never);
    expect(said).toHaveBeenCalledTimes(1);
    expect(said.mock.calls[0]).toMatchObject([{ url: '/v1/tickets?q=…' }]);
    said.mockRestore();
  });
});
