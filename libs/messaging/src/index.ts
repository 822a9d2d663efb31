export { Backlog } from './backlog.js';
export { toHeaders, readEnvelope, type Envelope } from './envelope.js';
export { Fault, NotAcknowledged, Overloaded } from './fault.js';
export { GroupProgress } from './progress.js';
export { RecordProducer, type ProducerOptions } from './producer.js';
export type { DeadLetter, DeadLetterReason, IncomingRecord, OutgoingRecord, RawHeader, Round } from './record.js';
export { Subscribe, type SubscribeOptions } from './subscribe.js';
export { ensureTopics, readTopics, type TopicReport, type TopicSpec } from './topics.js';
export { RoundTransport, type RoundTransportOptions } from './transport.js';
