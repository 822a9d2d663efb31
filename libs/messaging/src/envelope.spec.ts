import { describe, expect, it } from '@jest/globals';
import { readEnvelope, toHeaders, type Envelope } from './envelope.js';

const envelope: Envelope = {
  id: 'c1',
  type: 'ticket.create.v1',
  source: '/gateway',
  subject: 't1',
  time: '2026-01-02T03:04:05.678Z',
  orgId: 'acme',
};

describe('envelope', () => {
  it('is CloudEvents in binary mode', () => {
    expect(toHeaders({ ...envelope, traceparent: '00-aa-bb-01' })).toEqual({
      ce_specversion: '1.0',
      ce_id: 'c1',
      ce_type: 'ticket.create.v1',
      ce_source: '/gateway',
      ce_subject: 't1',
      ce_time: '2026-01-02T03:04:05.678Z',
      ce_orgid: 'acme',
      traceparent: '00-aa-bb-01',
      'content-type': 'application/json',
    });
  });

  it('reads back what it wrote', () => {
    expect(readEnvelope({ headers: toHeaders(envelope) })).toEqual({ ...envelope, specversion: '1.0', traceparent: undefined, attempt: undefined });
  });

  it('tells which sending it is, and reads it back', () => {
    expect(toHeaders({ ...envelope, attempt: 'a1' })).toMatchObject({ attempt: 'a1' });
    expect(readEnvelope({ headers: toHeaders({ ...envelope, attempt: 'a1' }) })).toMatchObject({ attempt: 'a1' });
  });

  it('leaves a missing trace out', () => {
    expect(toHeaders(envelope)).not.toHaveProperty('traceparent');
  });

  it('names nothing that is not there', () => {
    expect(Object.values(readEnvelope({ headers: {} })).every((value) => value === undefined)).toBe(true);
  });
});
