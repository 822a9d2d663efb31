import type { ServerResponse } from 'node:http';
import type { Principal } from '#contracts';
import { isBehind, orderOf, type FollowedEvent } from './org-feed.js';
import { toldOf, wordsOf, type Told } from './told.policy.js';

/** With so many bytes before them, a reader has enough: what is new comes when those are taken. */
const mostWaiting = 64 * 1024;
/** With so many bytes before them, a reader who is told something once is too far behind. */
const farBehind = 1024 * 1024;
/** How long the last bytes of a stream may take, ms. */
const lastMs = 2_000;

/** Messages of an event, each made once for all who hear the same. */
const frames = new WeakMap<FollowedEvent, Partial<Record<Told, Buffer>>>();

function frameOf(event: FollowedEvent, told: Exclude<Told, 'nothing'>): Buffer {
  const made = frames.get(event) ?? {};
  frames.set(event, made);
  return (made[told] ??= Buffer.from(`id: ${event.place}\ndata: ${wordsOf(event, told)}\n\n`));
}

/** One open stream: writes what its reader may hear, from a place on. */
export class Listener {
  /** Whether what is new comes to it at once; before, and when its reader has enough, it reads what it has missed. */
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

  /** Begins; the place is known to the reader before anything happens. Readers who lost their streams together come back one after the other. */
  begin(): void {
    this.write(`retry: ${1_000 + Math.floor(Math.random() * 2_000)}\nid: ${this.place}\n\n`);
  }

  /** Tells events that lie behind its place, in order, until its reader has enough. @returns whether all were told */
  tell(events: readonly FollowedEvent[]): boolean {
    let reached = orderOf(this.place);
    for (const event of events) {
      if (!isBehind(event.order, reached)) continue;
      if (this.response.writableLength > mostWaiting) return false;
      const told = toldOf(this.principal, event);
      [this.place, reached] = [event.place, [...event.order]];
      if (told !== 'nothing') this.write(frameOf(event, told));
    }
    return true;
  }

  /** Tells what has no place of its own: who has enough before them reads it elsewhere. */
  tellBeside(words: Buffer): void {
    if (this.response.writableLength <= mostWaiting) this.write(words);
  }

  /** Tells something beside the events that no later message makes up for: who is too far behind is dropped, comes again, and reads what they missed where it is kept. */
  tellOrDrop(words: Buffer): void {
    if (this.response.writableLength > farBehind) this.drop();
    else this.write(words);
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

  /** Room for more, when it missed events and reads them; resolves at once where there is, and when the reader is gone, or dropped after so many ms: what they miss waits at the place they have. */
  async ready(slowMs: number): Promise<void> {
    if (!this.response.writableNeedDrain || !this.isOpen) return;
    await new Promise<void>((resolve) => {
      const slow = setTimeout(() => this.drop(), slowMs);
      const go = () => {
        clearTimeout(slow);
        this.response.off('drain', go).off('close', go);
        resolve();
      };
      this.response.on('drain', go).on('close', go);
    });
  }

  private write(words: string | Buffer): void {
    if (this.isOpen) this.response.write(words);
  }
}
