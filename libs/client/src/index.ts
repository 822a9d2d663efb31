export { Deskstream, type ApiKeys, type Commands, type DeskstreamOptions } from './deskstream.js';
export { DeskstreamNoAnswer, DeskstreamProblem, type ProblemBody } from './errors.js';
export type { CallOptions, ReadOptions, TicketWriteOptions, WriteOptions } from './calls.js';
export type { EventFeed, Events, FeedItem, FeedOptions } from './events.js';
export type { StreamedEvent, StreamOptions, TicketLeft } from './stream.js';
export type { Organisation } from './organisation.js';
export type { Tickets } from './tickets.js';
export type * from './types.js';
