import type { Calls, CallOptions, WriteOptions } from './calls.js';
import type { NewProducer, Producer, ProducerGrant } from './types.js';

/** What outside systems may do for the organisation, over Kafka; for administrators. */
export class Producers {
  constructor(private readonly calls: Calls) {}

  /** Registers a system: its topics, which the answer names, are there by then. */
  register(producer: NewProducer, options?: WriteOptions): Promise<Producer> {
    return this.calls.write({ method: 'POST', path: '/producers', body: producer }, options);
  }

  async list(options?: CallOptions): Promise<Producer[]> {
    return (await this.calls.read<{ items: Producer[] }>('/producers', {}, options)).items;
  }

  get(id: string, options?: CallOptions): Promise<Producer> {
    return this.calls.read(at(id), {}, options);
  }

  /** Replaces what it may do, within 5 s. */
  replace(id: string, grant: ProducerGrant, options?: WriteOptions): Promise<Producer> {
    return this.calls.write({ method: 'PUT', path: at(id), body: grant }, options);
  }

  /** Takes back what it may do: what it sends 5 s later is refused. Its topics stay. */
  async delete(id: string, options?: WriteOptions): Promise<void> {
    await this.calls.write({ method: 'DELETE', path: at(id) }, options);
  }
}

const at = (id: string) => `/producers/${encodeURIComponent(id)}`;
