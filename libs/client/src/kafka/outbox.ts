import type { Message } from 'kafkajs';

/** Most records in one request, and about how many bytes of values; the broker takes 1 MB unless told otherwise. */
const [mostRecords, mostBytes] = [500, 512 * 1024];

interface Put {
  message: Message;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** What is put while a request is under way goes out together in the next one, in order. */
export class Outbox {
  private readonly queue: Put[] = [];
  private sending: Promise<void> | undefined;

  constructor(private readonly send: (messages: Message[]) => Promise<unknown>) {}

  /** Resolves when the broker has acknowledged the message. @throws what sending it threw */
  put(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queue.push({ message, resolve, reject });
      this.sending ??= Promise.resolve()
        .then(() => this.work())
        .finally(() => (this.sending = undefined));
    });
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.sending;
  }

  private async work(): Promise<void> {
    while (this.queue.length > 0) {
      const puts = this.queue.splice(0, this.fitting());
      await this.send(puts.map(({ message }) => message)).then(
        () => puts.forEach(({ resolve }) => resolve()),
        (error: unknown) => puts.forEach(({ reject }) => reject(error)),
      );
    }
  }

  /** How many of the queue go out in one request, at least one. */
  private fitting(): number {
    let bytes = 0;
    const end = this.queue.findIndex(({ message }, index) => index === mostRecords || ((bytes += message.value?.length ?? 0) > mostBytes && index > 0));
    return end === -1 ? this.queue.length : end;
  }
}
