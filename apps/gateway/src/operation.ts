import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';
import type { ProblemName } from '#contracts';
import type { Action } from '#domain';

/** Groups of routes, as the reference lists them. */
export const tags = {
  Tickets: 'Open tickets, find them, change them.',
  Conversation: 'What is said about a ticket and in it: comments, notes, replies, the linked conversation, calls of tools.',
  History: 'Every event of a ticket, in order, and the ticket as it was.',
  Commands: 'What became of a write that was answered with 202.',
  Assignment: 'Who gets a ticket that nobody has.',
  Deadlines: 'By when tickets are to be answered and resolved, and what happens when they are not.',
  Notifications: 'What one is told, and how.',
  Webhooks: 'Systems that are told over HTTP what happens.',
  Reports: 'Numbers and exports.',
  Organisation: 'Who one is, who else is there and when, whose assistants are, API keys and outside systems.',
  'Dead letters': 'Records that a service gave up on: look at them, send them back once the cause is mended, put them aside.',
  Health: 'For load balancers and operators.',
  Contracts: 'These documents.',
} as const;
export type Tag = keyof typeof tags;

/** Headers that an answer may have beside those that every answer has. */
export type AnswerHeader = 'Cache-Control' | 'Content-Disposition' | 'ETag' | 'Idempotency-Replayed' | 'Link' | 'Location' | 'Preference-Applied' | 'X-Projection-Lag-Ms';

/** Headers of a request that some routes read: every route takes `X-Request-Id`, every write `Idempotency-Key`. */
export type RequestHeader = 'If-Match' | 'If-None-Match' | 'Last-Event-ID' | 'Prefer' | 'X-Min-Version';

/** One good answer of a route. Without a body it has no content. */
export interface Told {
  description: string;
  body?: z.ZodType;
  /** Media types that are no JSON, with what they hold. */
  media?: Record<string, string>;
  headers?: AnswerHeader[];
}

/** What a reader of the reference is told about a route beyond what its path, its parameters and their schemas say. */
export interface OperationText {
  /** Unique; clients name their functions by it. */
  id: string;
  tag: Tag;
  summary: string;
  description?: string;
  /** The right that the caller needs. */
  needs?: Action;
  headers?: RequestHeader[];
  /** Media types of a body that is no JSON, with what they hold. */
  mediaBody?: Record<string, string>;
  /** An example of the body. */
  body?: unknown;
  answers: Record<number, Told>;
  /** What it refuses with, beside what every route does. */
  problems?: ProblemName[];
}

export const operationKey = 'deskstream:operation';

/** Tells the reference about a route. Without it a route cannot be documented, and a spec says so. */
export const Operation = (text: OperationText) => SetMetadata(operationKey, text);

/** A page for people: it is no part of the interface that documents describe. */
export const Page = () => SetMetadata(operationKey, 'page');
