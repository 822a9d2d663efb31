import { Counter, Gauge, Histogram } from 'prom-client';

const buckets = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];

export const requestSeconds = new Histogram({
  name: 'deskstream_http_request_duration_seconds',
  help: 'Time from a request to its answer',
  labelNames: ['route', 'method', 'status'] as const,
  buckets,
});

export const outcomeSeconds = new Histogram({
  name: 'deskstream_command_outcome_seconds',
  help: 'Time from sending a command to what the caller is told',
  labelNames: ['type', 'outcome'] as const,
  buckets,
});

export const waiters = new Gauge({ name: 'deskstream_result_waiters', help: 'Requests that wait for the result of a command' });

export const accepted = new Counter({ name: 'deskstream_commands_accepted_total', help: 'Commands answered with 202', labelNames: ['why'] as const });

export const openStreams = new Gauge({ name: 'deskstream_open_streams', help: 'Event streams that are open' });
