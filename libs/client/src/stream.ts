import { Ending, type Connection } from './connection.js';
import { DeskstreamProblem } from './errors.js';
import type { FeedItem } from './events.js';
import { passes, pause, pauseAfter } from './patience.js';
import { SseParser, type SseMessage } from './sse.js';
import type { DeadlineTold } from './types.js';

/** A ticket that left one's sight: told once, by its id and version alone. */
export interface TicketLeft {
  ticketId: string;
  version: number;
  type: 'left';
}

/** Something that happened, and where to go on after it. What becomes of deadlines has no place of its own: whoever was away reads the ticket. */
export interface StreamedEvent {
  /** Give it as `lastEventId` to go on after this event. */
  id: string;
  data: FeedItem | TicketLeft | DeadlineTold;
}

/** What a stream may be told. */
export interface StreamOptions {
  /** Where to go on; from now on without it. */
  lastEventId?: string | undefined;
  signal?: AbortSignal | undefined;
  /** A connection is given up when it is not made in so many ms (10,000). */
  timeoutMs?: number | undefined;
  /** A connection is given up when nothing came over it, not even a heartbeat, for so many ms (60,000). */
  silenceMs?: number | undefined;
}

/** Where a stream stands, over all its connections. */
interface Progress {
  position: string;
  failures: number;
  retryMs: number;
}

/** Events over one connection after the other, without an end of its own. */
export async function* streamed(connection: Connection, options: StreamOptions): AsyncGenerator<StreamedEvent, never, undefined> {
  const progress: Progress = { position: options.lastEventId ?? '', failures: 0, retryMs: 0 };
  for (;;) {
    let trouble: unknown;
    try {
      for await (const { id, data } of connected(connection, progress, options)) yield { id, data: JSON.parse(data) as StreamedEvent['data'] };
    } catch (error) {
      if (!mayPass(error)) throw error;
      trouble = error;
    }
    await pause(Math.max(progress.retryMs, pauseAfter(trouble, progress.failures++)), options.signal);
  }
}

/** A stream outlasts faults of the product, too: it has no caller who waits for an answer. */
const mayPass = (error: unknown) => passes(error) || (error instanceof DeskstreamProblem && error.status >= 500);

/** The messages of one connection, until it ends. */
async function* connected(connection: Connection, progress: Progress, { signal, timeoutMs = 10_000, silenceMs = 60_000 }: StreamOptions): AsyncGenerator<SseMessage> {
  const end = new Ending(signal);
  try {
    const pieces = piecesOf(await end.within(timeoutMs, connection.open(requestFrom(progress), end)));
    // Time runs while we wait for the next piece, not while the caller is busy with the last one.
    const next = () => end.within(silenceMs, end.answered(pieces.read()));
    const parser = new SseParser(progress.position);
    for (let piece = await next(); !piece.done; piece = await next()) {
      // What has a name is of another kind, and has no place of its own.
      const messages = parser.push(piece.value).filter(({ event }) => event === undefined);
      progress.retryMs = parser.retryMs;
      for (const message of messages) {
        Object.assign(progress, { position: message.id, failures: 0 });
        yield message;
      }
      progress.position = parser.position; // of what follows nothing has been taken yet
    }
  } finally {
    end.now();
  }
}

const requestFrom = ({ position }: Progress) => ({
  method: 'GET' as const,
  path: '/v1/stream',
  headers: { accept: 'text/event-stream', ...(position !== '' && { 'last-event-id': position }) },
});

/** @throws DeskstreamProblem when something else than a stream is there, such as a page at a wrong address: waiting would not help */
function piecesOf({ body, headers, status }: Response): ReadableStreamDefaultReader<string> {
  const type = headers.get('content-type') ?? '';
  if (body === null || !type.startsWith('text/event-stream')) throw new DeskstreamProblem({ detail: `The answer is no stream of events, but ${type || 'nothing'}` }, { status });
  return body.pipeThrough(new TextDecoderStream()).getReader();
}
