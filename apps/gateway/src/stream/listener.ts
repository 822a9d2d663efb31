import type { ServerResponse } from 'node:http';
import type { Principal } from '#contracts';
import { isBehind, type FollowedEvent } from './org-feed.js';
import { toldOf } from './told.policy.js';

/** A reader who has so many bytes before them is dropped: what they miss waits for them at the place they have. */
const mostWaiting = 256 * 1024;
/** How long the last bytes of a stream may take, ms. */
const lastMs = 2_000;

/** One open stream: writes what its reader may hear, from a place on. */
export class Listener {
  /** Whether what is new comes to it at once; before, it reads what it has missed. */
  isLive = false;

  /** @param place up to where everything was told */
  constructor(
    private readonly response: ServerResponse,
    public principal: Principal,
    public place: string,
  ) {}

  get isOpen(): boolean {
    return !this.response.destroyed && !this.response.writableEnded;
  }

  /** Begins; the place is known to the reader before anything happens. */
  begin(): void {
    this.write(`retry: 2000\nid: ${this.place}\n\n`);
  }

  /** Tells events that lie behind its place, in order. */
  tell(events: readonly FollowedEvent[]): void {
    let text = '';
    for (const event of events) {
      if (!isBehind(event.place, this.place)) continue;
      const told = toldOf(this.principal, event);
      this.place = event.place;
      if (told !== null) text += `id: ${event.place}\ndata: ${told}\n\n`;
    }
    if (text !== '') this.write(text);
  }

  /** Shows that the connection lives, and up to where there was nothing for this reader. */
  beat(): void {
    this.write(`: still here\nid: ${this.place}\n\n`);
  }

  /** Ends the stream: the reader may come again with the last id it has. One who does not take what is left is dropped. */
  end(): void {
    this.response.end();
    setTimeout(() => this.drop(), lastMs).unref();
  }

  /** Breaks the stream off. */
  drop(): void {
    this.response.destroy();
  }

  /** Room for more, when it missed events and reads them; resolves at once where there is, and when the reader is gone. */
  async ready(): Promise<void> {
    if (!this.response.writableNeedDrain || !this.isOpen) return;
    await new Promise<void>((resolve) => {
      const go = () => {
        this.response.off('drain', go).off('close', go);
        resolve();
      };
      this.response.on('drain', go).on('close', go);
    });
  }

  private write(text: string): void {
    if (!this.isOpen) return;
    if (this.response.writableLength > mostWaiting) return this.drop();
    this.response.write(text);
  }
}
