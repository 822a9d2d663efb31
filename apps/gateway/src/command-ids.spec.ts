import { describe, expect, it } from '@jest/globals';
import type { Principal } from '#contracts';
import { commandIdOf, payloadHashOf, ticketIdOf } from './command-ids.js';

const principal: Principal = { orgId: 'acme', actor: { type: 'member', id: 'ada', name: 'Ada' }, access: { role: 'admin', assistantIds: [] } };
const request = { principal, method: 'POST', route: '/v1/tickets', idempotencyKey: 'k' };

describe('ids of a command', () => {
  it('are the same for ever for the same key', () => {
    expect(commandIdOf(request)).toBe('9712e744-a5e1-5190-96fd-68537329692f');
    expect(ticketIdOf(request)).toBe('3c163114-36cd-512c-8085-ff4fa627edfa');
  });

  it('do not depend on name or rights', () => {
    const renamed = { ...principal, actor: { ...principal.actor, name: 'Ada L.' }, access: { role: 'member' as const, assistantIds: ['x'] } };
    expect(commandIdOf({ ...request, principal: renamed })).toBe(commandIdOf(request));
  });

  it.each([
    ['organisation', { principal: { ...principal, orgId: 'globex' } }],
    ['person', { principal: { ...principal, actor: { ...principal.actor, id: 'grace' } } }],
    ['kind of principal', { principal: { ...principal, actor: { ...principal.actor, type: 'agent' as const } } }],
    ['method', { method: 'PUT' }],
    ['route', { route: '/v1/tickets/x/take' }],
    ['key', { idempotencyKey: 'K' }],
  ])('differ by %s', (_, change) => {
    expect(commandIdOf({ ...request, ...change })).not.toBe(commandIdOf(request));
  });

  it('cannot be made to collide by what the parts hold', () => {
    const one = { ...request, route: '/a","b', idempotencyKey: 'c' };
    const other = { ...request, route: '/a', idempotencyKey: 'b","c' };
    expect(commandIdOf(one)).not.toBe(commandIdOf(other));
  });

  it('are random without a key', () => {
    const keyless = { ...request, idempotencyKey: undefined };
    expect(commandIdOf(keyless)).not.toBe(commandIdOf(keyless));
    expect(ticketIdOf(keyless)).not.toBe(ticketIdOf(keyless));
  });

  it('differ between a command and its ticket', () => {
    expect(commandIdOf(request)).not.toBe(ticketIdOf(request));
  });
});

describe('the hash of a request', () => {
  const sent = { method: 'POST', route: '/v1/tickets', body: '{"title":"a"}', ifMatch: undefined };
  it('differs by method, route, body and If-Match', () => {
    const others = [{ method: 'PUT' }, { route: '/v1/x' }, { body: '{"title":"b"}' }, { body: undefined }, { ifMatch: '"1"' }, { ifMatch: '' }];
    const hashes = [sent, ...others.map((change) => ({ ...sent, ...change }))].map(payloadHashOf);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
