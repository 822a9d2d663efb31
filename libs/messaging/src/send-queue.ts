import { NotAcknowledged, Overloaded } from './fault.js';
import { packRecord, type PackedRecord } from './batch-writer.js';
import type { OutgoingRecord } from './record.js';

export interface SendQueueLimits {
  /** Records and bytes that may wait, those in flight included. */
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
  /** Records and bytes of one request; a larger single record goes alone. */
  readonly maxRequest: number;
  readonly maxRequestBytes: number;
  readonly maxRecordBytes: number;
}

/** One call of `send`: acknowledged as a whole. */
interface Call {
  readonly records: readonly PackedRecord[];
  readonly bytes: number;
  readonly deadline: number;
  readonly acknowledge: () => void;
  readonly fail: (error: Error) => void;
  /** Records handed to a request so far. */
  taken: number;
  isOver: boolean;
}

interface Request {
  readonly records: PackedRecord[];
  readonly calls: Call[];
  bytes: number;
}

/** Whether all its records are in requests. */
const isTaken = ({ taken, records }: Call): boolean => taken === records.length;

/**
 * Gathers what is sent while one request is in flight into the next one: group commit without a linger timer. First come, first
 * sent, one request at a time, so records of a partition keep the order of the calls. When a request fails for good, all that
 * was queued behind it fails too: nothing overtakes a record whose fate is unknown.
 */
export class SendQueue {
  #queue: Call[] = [];
  #inFlight: Call[] = [];
  #draining: Promise<void> | undefined;
  #expiry: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  #isClosed = false;
  records = 0;
  #bytes = 0;

  constructor(
    private readonly limits: SendQueueLimits,
    private readonly transmit: (records: PackedRecord[]) => Promise<void>,
    private readonly clock: () => number = Date.now,
  ) {}

  /**
   * Resolves when every record is acknowledged.
   * @throws Overloaded when the queue is full, NotAcknowledged when a request failed or the deadline (epoch ms) passed,
   * RangeError when a record is larger than a topic takes.
   */
  async send(records: readonly OutgoingRecord[], deadline = Infinity): Promise<void> {
    if (records.length === 0) return;
    const packed = records.map(packRecord);
    const bytes = packed.reduce((sum, { size }) => sum + size, 0);
    this.admit(packed, bytes, deadline);
    await new Promise<void>((acknowledge, fail) => {
      this.#queue.push({ records: packed, bytes, deadline, acknowledge, fail, taken: 0, isOver: false });
      this.records += packed.length;
      this.#bytes += bytes;
      this.expireAt(deadline);
      this.#draining ??= this.drain();
    });
  }

  private admit(packed: readonly PackedRecord[], bytes: number, deadline: number): void {
    const { maxQueued, maxQueuedBytes, maxRecordBytes } = this.limits;
    const tooLarge = packed.find(({ size }) => size > maxRecordBytes);
    if (tooLarge) throw new RangeError(`a record for ${tooLarge.topic} has ${tooLarge.size} bytes, more than ${maxRecordBytes}`);
    if (this.#isClosed) throw new NotAcknowledged('the producer is closed');
    if (deadline <= this.clock()) throw new NotAcknowledged('the deadline has passed');
    // A single call may be larger than the whole queue: it is let in when nothing else waits.
    const isFull = this.records > 0 && (this.records + packed.length > maxQueued || this.#bytes + bytes > maxQueuedBytes);
    if (isFull) throw new Overloaded(`${this.records} records wait for the broker`);
  }

  /** Sends what waits, at most until `deadline` (epoch ms), and takes nothing more. */
  async close(deadline: number): Promise<void> {
    this.#isClosed = true;
    const remaining = Math.max(0, deadline - this.clock());
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, remaining)));
    await Promise.race([this.#draining, timeUp]);
    clearTimeout(timer);
    clearTimeout(this.#expiry?.timer);
    this.failAll(new NotAcknowledged('the producer is closed'));
  }

  private async drain(): Promise<void> {
    await Promise.resolve(); // what is sent in the same turn goes into the same request
    for (let request = this.compose(); request !== undefined; request = this.compose()) {
      try {
        await this.transmit(request.records);
        this.acknowledge(request.calls);
      } catch (cause) {
        this.failAll(new NotAcknowledged('the broker did not acknowledge', { cause }));
      }
      this.#inFlight = [];
    }
    this.#draining = undefined;
  }

  private acknowledge(calls: readonly Call[]): void {
    for (const call of calls.filter(isTaken)) this.settle(call);
  }

  /** The next request: whole calls from the head of the queue, the last one perhaps in part; undefined when nothing waits. */
  private compose(): Request | undefined {
    const request: Request = { records: [], calls: [], bytes: 0 };
    const now = this.clock();
    for (let call = this.#queue[0]; call !== undefined; call = this.#queue[0]) {
      if (call.deadline <= now) this.settle(call, new NotAcknowledged('the deadline has passed'));
      if (!call.isOver && !this.fill(request, call)) break;
      this.#queue.shift();
    }
    this.#inFlight = request.calls;
    return request.records.length === 0 ? undefined : request;
  }

  /** Moves records of the call into the request while they fit; true when none is left. */
  private fill(request: Request, call: Call): boolean {
    const { maxRequest, maxRequestBytes } = this.limits;
    request.calls.push(call);
    for (const record of call.records.slice(call.taken)) {
      const isFull = request.records.length >= maxRequest || request.bytes + record.size > maxRequestBytes;
      if (isFull && request.records.length > 0) return false;
      request.records.push(record);
      request.bytes += record.size;
      call.taken++;
    }
    return true;
  }

  private settle(call: Call, error?: Error): void {
    if (call.isOver) return;
    call.isOver = true;
    this.records -= call.records.length;
    this.#bytes -= call.bytes;
    if (error) call.fail(error);
    else call.acknowledge();
  }

  private failAll(error: Error): void {
    const calls = [...this.#inFlight, ...this.#queue];
    this.#queue = [];
    for (const call of calls) this.settle(call, error);
  }

  /** One timer, for the earliest deadline: a call must hear of its deadline even while a request hangs. */
  private expireAt(deadline: number): void {
    if (deadline === Infinity || (this.#expiry !== undefined && this.#expiry.at <= deadline)) return;
    clearTimeout(this.#expiry?.timer);
    const timer = setTimeout(() => this.expire(), Math.max(1, deadline - this.clock()));
    timer.unref();
    this.#expiry = { at: deadline, timer };
  }

  private expire(): void {
    this.#expiry = undefined;
    const now = this.clock();
    let next = Infinity;
    for (const call of [...this.#inFlight, ...this.#queue]) {
      if (call.isOver) continue;
      if (call.deadline <= now) this.settle(call, new NotAcknowledged('the deadline has passed'));
      else next = Math.min(next, call.deadline);
    }
    this.expireAt(next === Infinity ? next : Math.max(next, now + 5));
  }
}
