import type { CallOptions, Calls, WriteOptions } from './calls.js';
import type { Assistant, AssistantInput, Availability } from './types.js';

/** Whose assistants are, when people work, and who left; for administrators, and for people as far as it is about themselves. */
export class Organisation {
  constructor(private readonly calls: Calls) {}

  assistant(id: string, options?: CallOptions): Promise<Assistant> {
    return this.calls.read(assistantAt(id), {}, options);
  }

  /** Makes an assistant, or changes whose it is: 5 s later that decides who sees its tickets. */
  putAssistant(id: string, assistant: AssistantInput, options?: WriteOptions): Promise<Assistant> {
    return this.calls.write({ method: 'PUT', path: assistantAt(id), body: assistant }, options);
  }

  /** Its tickets stay; its API keys let nobody in 5 s later. */
  async deleteAssistant(id: string, options?: WriteOptions): Promise<void> {
    await this.calls.write({ method: 'DELETE', path: assistantAt(id) }, options);
  }

  /** Takes out somebody who left, until they sign in anew. */
  async deleteMember(id: string, options?: WriteOptions): Promise<void> {
    await this.calls.write({ method: 'DELETE', path: memberAt(id) }, options);
  }

  availability(memberId: string, options?: CallOptions): Promise<Availability> {
    return this.calls.read(`${memberAt(memberId)}/availability`, {}, options);
  }

  /** Replaces all of it. Who is no administrator says it of themselves, and leaves `capacity` as it is. */
  setAvailability(memberId: string, availability: Availability, options?: WriteOptions): Promise<Availability> {
    return this.calls.write({ method: 'PUT', path: `${memberAt(memberId)}/availability`, body: availability }, options);
  }
}

const assistantAt = (id: string) => `/assistants/${encodeURIComponent(id)}`;
const memberAt = (id: string) => `/members/${encodeURIComponent(id)}`;
