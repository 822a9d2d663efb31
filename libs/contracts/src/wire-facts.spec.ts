import { describe, expect, it } from '@jest/globals';
import {
  assertionSeconds,
  Channel,
  commandData,
  CommentKind,
  DeadlineKind,
  DeadlineState,
  deadlineValue,
  DeadLetterReason,
  deadLetterProblem,
  deadLetterTopic,
  directoryKey,
  directoryTypeOf,
  eventData,
  eventId,
  eventSource,
  isCommandType,
  isEventType,
  noticeValue,
  limits,
  maxCommandBytes,
  maxEventBytes,
  maxListDepth,
  maxValidationErrors,
  openDeadlineStates,
  Priority,
  problem,
  problemName,
  problems,
  resultType,
  Role,
  Scope,
  shortEventType,
  sorts,
  Status,
  topics,
  topicsOfSystem,
  type EventType,
  type ProblemName,
} from './index.js';

/** What others rely on, as literals: whoever changes one of them changes the contract. */
describe('wire facts', () => {
  it('problems: name and HTTP status', () => {
    expect(Object.fromEntries(Object.entries(problems).map(([name, [status]]) => [name, status]))).toEqual({
      'malformed-request': 400,
      'idempotency-key-invalid': 400,
      unauthenticated: 401,
      forbidden: 403,
      'not-found': 404,
      'method-not-allowed': 405,
      'not-acceptable': 406,
      'invalid-transition': 409,
      'ticket-closed': 409,
      'already-exists': 409,
      gone: 410,
      'version-conflict': 412,
      'payload-too-large': 413,
      'unsupported-media-type': 415,
      'validation-failed': 422,
      'idempotency-key-reused': 422,
      'invalid-assignee': 422,
      'invalid-cursor': 422,
      'page-too-deep': 422,
      'ticket-too-large': 422,
      'rate-limited': 429,
      'headers-too-large': 431,
      'internal-error': 500,
      'dependency-unavailable': 503,
      'not-yet': 503,
      overloaded: 503,
    });
  });

  it('a problem as it is sent', () => {
    expect(problem('invalid-transition', 'No.', { from: 'open', to: 'closed', allowed: ['pending'] })).toEqual({
      type: '/problems/invalid-transition',
      title: 'The ticket cannot move there',
      status: 409,
      detail: 'No.',
      from: 'open',
      to: 'closed',
      allowed: ['pending'],
    });
    for (const name of Object.keys(problems) as ProblemName[]) expect(problemName(problem(name, ''))).toBe(name);
  });

  it('reasons of dead letters, and their problems', () => {
    expect(DeadLetterReason.options).toEqual([
      'not-json',
      'schema-invalid',
      'unknown-type',
      'oversize',
      'organisation-mismatch',
      'producer-not-allowed',
      'key-mismatch',
      'timestamp-out-of-range',
      'handler-failed',
    ]);
    expect(deadLetterProblem('key-mismatch', 'why')).toEqual({ type: '/problems/key-mismatch', title: 'The record was set aside', status: 422, detail: 'why' });
    expect(deadLetterProblem('handler-failed', 'why').status).toBe(500);
  });

  it('topics', () => {
    expect(topics).toEqual({ commands: 'ticket.commands.v1', events: 'ticket.events.v1', results: 'ticket.command-results.v1', deadlines: 'ticket.deadlines.v1', notices: 'notices.v1', directory: 'directory.v1' });
    expect(deadLetterTopic('query-search', topics.events)).toBe('dead.query-search.ticket.events.v1');
    expect(topicsOfSystem({ id: 'erp', outbound: { from: '2026-01-31T00:00:00.000Z', notes: false } })).toEqual({ inbound: 'ticket.inbound.erp.v1', results: 'ticket.inbound-results.erp.v1', outbound: 'ticket.outbound.erp.v1' });
    expect(topicsOfSystem({ id: 'erp' })).not.toHaveProperty('outbound');
  });

  it('types of commands', () => {
    expect(Object.keys(commandData)).toEqual([
      'ticket.create.v1',
      'ticket.change-status.v1',
      'ticket.add-comment.v1',
      'ticket.assign.v1',
      'ticket.update-details.v1',
      'ticket.append-conversation.v1',
      'ticket.record-tool-call.v1',
      'ticket.report-reply-delivery.v1',
      'ticket.delete.v1',
      'ticket.restore.v1',
    ]);
    expect(isCommandType('ticket.create.v1')).toBe(true);
    for (const other of ['ticket.create.v2', 'ticket.created.v1', 'toString', '', undefined]) expect(isCommandType(other)).toBe(false);
  });

  it('types of events, long and short', () => {
    expect(Object.fromEntries((Object.keys(eventData) as EventType[]).map((type) => [type, shortEventType(type)]))).toEqual({
      'ticket.created.v1': 'created',
      'ticket.status-changed.v1': 'status-changed',
      'ticket.comment-added.v1': 'comment-added',
      'ticket.assignee-changed.v1': 'assignee-changed',
      'ticket.details-updated.v1': 'details-updated',
      'ticket.conversation-appended.v1': 'conversation-appended',
      'ticket.tool-call-recorded.v1': 'tool-call-recorded',
      'ticket.reply-delivery-reported.v1': 'reply-delivery-reported',
      'ticket.deleted.v1': 'deleted',
      'ticket.restored.v1': 'restored',
    });
    expect(isEventType('ticket.deleted.v1')).toBe(true);
    for (const other of ['ticket.deleted.v2', 'ticket.delete.v1', '__proto__', '', undefined]) expect(isEventType(other)).toBe(false);
  });

  it('types of messages about deadlines', () => expect(Object.keys(deadlineValue)).toEqual(['ticket.deadlines-changed.v1', 'ticket.deadline-warning.v1', 'ticket.deadline-missed.v1', 'ticket.deadline-met.v1']));

  it('types of other messages', () => expect([...Object.keys(noticeValue), resultType, directoryTypeOf({ kind: 'member' }), directoryTypeOf({ kind: 'assistant' }), directoryTypeOf({ kind: 'producer' })]).toEqual(['notice.told.v1', 'ticket.command-result.v1', 'directory.entry.v1', 'directory.entry.v1', 'directory.producer.v1']));

  it('ids, sources and keys', () => {
    expect(eventId('0196f0a0-0000-7000-8000-000000000001', 7)).toBe('0196f0a0-0000-7000-8000-000000000001:7');
    expect(eventSource('acme')).toBe('/organisations/acme/tickets');
    expect(directoryKey({ orgId: 'acme', kind: 'assistant', id: 'billing-bot' })).toBe('acme/assistant/billing-bot');
  });

  it('closed lists', () => {
    expect(Status.options).toEqual(['open', 'pending', 'resolved', 'closed']);
    expect(Priority.options).toEqual(['low', 'normal', 'high', 'urgent']);
    expect(CommentKind.options).toEqual(['comment', 'note', 'reply']);
    expect(Channel.options).toEqual(['console', 'api', 'agent', 'mcp', 'kafka', 'email']);
    expect(Role.options).toEqual(['admin', 'member']);
    expect(Scope.options).toEqual(['tickets:read', 'tickets:write', 'tickets:transition', 'tickets:assign', 'replies:write', 'notes:read', 'notes:write']);
    expect(sorts).toEqual(['-createdAt', 'createdAt', '-updatedAt', 'updatedAt', '-priority', 'priority', 'number', '-number', 'deadline', '-deadline']);
    expect([DeadlineKind.options, DeadlineState.options, openDeadlineStates]).toEqual([['first-reply', 'next-reply', 'resolution'], ['running', 'paused', 'warning', 'missed', 'met', 'late'], ['running', 'paused', 'warning', 'missed']]);
  });

  it('limits', () => {
    expect(limits).toEqual({
      title: 200,
      description: 50_000,
      comment: 50_000,
      message: 50_000,
      tags: 20,
      tag: 50,
      customFields: 50,
      customFieldKey: 64,
      customFieldText: 1_000,
      messagesPerCall: 200,
      comments: 5_000,
      messages: 10_000,
      requestBytes: 262_144,
      jsonDepth: 32,
    });
    expect([maxCommandBytes, maxListDepth, maxValidationErrors, assertionSeconds]).toEqual([524_288, 10_000, 20, 60]);
  });

  it('an event fits into a record of 1 MiB with its key and headers', () => expect(maxEventBytes).toBeLessThan(1_048_576 - 16_384));
});
