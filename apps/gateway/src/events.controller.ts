import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EventsQuery, FeedPage, NoQuery } from '#contracts';
import { Operation } from './operation.js';
import { Reads } from './reads.js';
import { Streams } from './stream/streams.js';

/** What happens in an organisation: all of it in one order, or as it happens. */
@Controller('v1')
export class EventsController {
  constructor(
    private readonly reads: Reads,
    private readonly streams: Streams,
  ) {}

  @Get('events')
  @Operation({
    id: 'listEvents',
    tag: 'History',
    summary: "Read the organisation's events",
    description:
      'Every event of the organisation, in one order that never changes, each once; a ticket’s in the order of its versions, without gaps. `nextAfter` is where to go on, also years later. It shows an event some 100 ms after it happened.',
    needs: 'administer',
    answers: { 200: { description: 'A page of events.', body: FeedPage, headers: ['X-Projection-Lag-Ms'] } },
    problems: ['forbidden', 'invalid-cursor'],
  })
  events(@Query({ schema: EventsQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.reads.pass({ request, reply }, '/v1/events');
  }

  @Get('stream')
  @RouteConfig({ serves: ['text/event-stream'] })
  @Operation({
    id: 'streamEvents',
    tag: 'History',
    summary: 'Hear of events as they happen',
    description:
      'Server-sent events: one for each event of a ticket that the caller sees after it. A note that they may not read is `hidden`; of a ticket that leaves their sight they are told once (`left`). Goes on behind `Last-Event-ID`, at any gateway: for administrators for ever, for others within a day; every message and every heartbeat (15 s) carries one. Who reads too slowly is dropped, and goes on from there. Deadlines are told, too, without a place of their own: who was away reads the ticket. So are, to people, their notifications: messages of the event `notice`, which may come again under their id.',
    needs: 'read',
    headers: ['Last-Event-ID'],
    answers: { 200: { description: 'The stream.', media: { 'text/event-stream': 'Messages whose data is JSON: an event as `listEvents` has it; one with `hidden: true` and without `data`; `{ ticketId, version, type: "left" }`; or, of a deadline, `{ ticketId, version, type, at, deadline?: { kind, dueAt }, deadlines }` with one of the types `deadline-warning`, `deadline-missed`, `deadline-met` and `deadlines-changed`. Of a message with `event: notice` it is a notification as `listNotifications` has it.' } } },
    problems: ['forbidden', 'invalid-cursor', 'overloaded'],
  })
  stream(@Query({ schema: NoQuery }) _: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.streams.open({ request, reply });
  }
}
