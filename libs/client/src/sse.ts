/** A message of a stream of server-sent events. */
export interface SseMessage {
  /** The newest id that was sent up to here; empty before the first. */
  id: string;
  data: string;
  /** Its type, where it has one. */
  event?: string;
}

/** Takes a stream of server-sent events apart, however it was cut into pieces. Comments say nothing; an id without data says where the stream has come to. */
export class SseParser {
  /** How long the server asks to wait before a new connection, ms. */
  retryMs = 0;
  /** Where to go on behind all that has ended, heartbeats included; empty before the first id. */
  position: string;
  #rest = '';
  #data: string[] = [];
  #event = '';

  constructor(private lastId: string) {
    this.position = lastId;
  }

  /** The messages that end in the next piece. */
  push(piece: string): SseMessage[] {
    const text = this.#rest + piece;
    // What ends in a carriage return may be half a line end.
    const lines = (text.endsWith('\r') ? text.slice(0, -1) : text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop()! + (text.endsWith('\r') ? '\r' : '');
    return lines.flatMap((line) => (line === '' ? this.#finish() : this.#take(line)));
  }

  #finish(): SseMessage[] {
    const [data, event] = [this.#data, this.#event];
    [this.#data, this.#event] = [[], ''];
    this.position = this.lastId;
    return data.length === 0 ? [] : [{ id: this.lastId, data: data.join('\n'), ...(event !== '' && { event }) }];
  }

  #take(line: string): [] {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
    if (field === 'data') this.#data.push(value);
    if (field === 'event') this.#event = value;
    if (field === 'id' && !value.includes('\0')) this.lastId = value;
    if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return [];
  }
}
