import { Counter, Gauge, Histogram } from 'prom-client';

/** What this service reports beside what its libraries do, in prom-client's default registry. */
export const projectionDelay = new Histogram({
  name: 'deskstream_projection_delay_seconds',
  help: 'From an event being on its topic to its view being stored',
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
});
export const viewsWritten = new Counter({ name: 'deskstream_views_written_total', help: 'Views of tickets stored or found to be stored newer' });
export const missedVersions = new Counter({ name: 'deskstream_missed_versions_total', help: 'Versions of tickets that never came before a later one' });
export const unknownEvents = new Counter({ name: 'deskstream_unknown_events_total', help: 'Events of a type that is not known here, skipped' });
export const outdated = new Gauge({ name: 'deskstream_read_model_outdated', help: '1 while answers come from a read model of an older shape, which is being built anew' });
export const dayCounts = new Counter({ name: 'deskstream_statistics_days_counted_total', help: 'Days of organisations whose statistics were counted from the views' });
