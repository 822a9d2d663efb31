import { eventually } from './eventually.js';

/** A message of a stream: its data as JSON, and its id. */
export interface Heard {
  id: string;
  /** Its type, where it has one. */
  event?: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- journeys look at what came, whatever it is
  data: any;
}

/** Somebody who listens to `GET /v1/stream`, as a browser's EventSource would, but for coming again by themselves. */
export class EventStream {
  readonly heard: Heard[] = [];
  /** Of the last message or heartbeat. */
  lastId = '';
  beats = 0;
  /** Told of each message when it comes. */
  onHeard: (heard: Heard) => void = () => undefined;
  isOver = false;
  private readonly leaving = new AbortController();

  private constructor(readonly response: Response) {
    if (response.status === 200) void this.read().finally(() => (this.isOver = true));
  }

  /** Opens a stream; `status` tells whether it is one. */
  static async open(gatewayUrl: string, token: string, lastEventId?: string): Promise<EventStream> {
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
    const leaving = new AbortController();
    const response = await eventually(async () => {
      const answer = await fetch(`${gatewayUrl}/v1/stream`, { headers, signal: leaving.signal });
      if (answer.status === 503) throw new Error(await answer.text()); // a slow machine
      return answer;
    });
    const stream = new EventStream(response);
    stream.leaving.signal.addEventListener('abort', () => leaving.abort());
    return stream;
  }

  get status(): number {
    return this.response.status;
  }

  /** Data of the messages so far. */
  get data(): Heard['data'][] {
    return this.heard.map(({ data }) => data as unknown);
  }

  /** Waits until so many messages have come. */
  async until(count: number): Promise<Heard['data'][]> {
    await eventually(() => {
      if (this.heard.length < count) throw new Error(`${this.heard.length} of ${count} messages have come`);
    });
    return this.data;
  }

  close(): void {
    this.leaving.abort();
  }

  private async read(): Promise<void> {
    let text = '';
    try {
      for await (const chunk of this.response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.take(text.slice(0, end).split('\n'));
          text = text.slice(end + 2);
        }
      }
    } catch {
      // Broken off, by us or by the gateway.
    }
  }

  private take(lines: readonly string[]): void {
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    this.lastId = field('id') ?? this.lastId;
    const [data, event] = [field('data'), field('event')];
    if (data !== undefined) {
      const heard = { id: this.lastId, data: JSON.parse(data) as unknown, ...(event !== undefined && { event }) };
      this.heard.push(heard);
      this.onHeard(heard);
    }
    if (data === undefined && lines.some((line) => line.startsWith(':'))) this.beats += 1;
  }
}
