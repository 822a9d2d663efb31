import type { SendOutcome } from '../deliveries/delivery.js';

/** Somebody's mailbox. */
export interface Mailbox {
  name: string;
  address: string;
}

/** A mail as it is claimed: the same whenever it is sent. */
export interface Mail {
  to: Mailbox;
  /** Where answers go, where that is not the sender. */
  replyTo?: Mailbox;
  subject: string;
  /** Plain text. */
  text: string;
  /** `<…@…>`: who takes it can tell a repeat by it, and answers refer to it. */
  messageId: string;
  inReplyTo?: string;
  references?: readonly string[];
  /** Beside those above. */
  headers?: Readonly<Record<string, string>>;
}

/** Hands mails to the server that sends them. */
export abstract class Mailer {
  /** `delivered`: the server took it. Never throws for what the server said, nor for its silence. @throws NotBegun while others are being sent */
  abstract send(mail: Mail): Promise<SendOutcome>;
}
