/** Names of the topics (contract section 1). `deploy/topics.yaml` says how they are kept. */
export const topics = {
  commands: 'ticket.commands.v1',
  events: 'ticket.events.v1',
  results: 'ticket.command-results.v1',
  deadlines: 'ticket.deadlines.v1',
  notices: 'notices.v1',
  directory: 'directory.v1',
} as const;

/** Where an outside system sends its commands, and where it is told what became of them. */
export const inboundTopic = (system: string) => `ticket.inbound.${system}.v1`;
export const inboundResultsTopic = (system: string) => `ticket.inbound-results.${system}.v1`;

/** Where an outside system that asked for it is told what happens. */
export const outboundTopic = (system: string) => `ticket.outbound.${system}.v1`;

/** Where a service sets aside what it gave up on. */
export const deadLetterTopic = (service: string, source: string) => `dead.${service}.${source}`;

/** What operators made of dead letters: `DeadLetterDecision`, by letter. */
export const deadLetterDecisions = 'dead-letter-decisions.v1';

/** `ce_id` of an event. */
export const eventId = (ticketId: string, version: number) => `${ticketId}:${version}`;

/** `ce_source` of an event. */
export const eventSource = (orgId: string) => `/organisations/${orgId}/tickets`;

/** `ce_type` of a record on the results topic. */
export const resultType = 'ticket.command-result.v1';
