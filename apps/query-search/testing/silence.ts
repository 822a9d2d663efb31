import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import type { Feed } from '../src/generations/read-model.js';

/** A transport that brings nothing. */
class Silence extends Server implements CustomTransportStrategy {
  listen(callback: () => void): void {
    callback();
  }

  close(): void {}

  override on(): void {}

  override unwrap<T>(): T {
    throw new Error('there is nothing in it');
  }

  health(): { live: boolean; ready: boolean } {
    return { live: true, ready: true };
  }
}

/** Without Kafka: specs hand rounds to the consumers. */
export const silentFeed = (): Feed => ({ transport: new Silence(), progress: { asOf: undefined, lagMs: undefined, start: () => undefined, stop: () => Promise.resolve() } });
