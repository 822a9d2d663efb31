import { Counter, Gauge, Histogram } from 'prom-client';

/** Records of a type that is not known here. */
export const unknownRecords = new Counter({ name: 'deskstream_assignment_unknown_records_total', help: 'Records of a type that is not known here', labelNames: ['topic'] });

/** What became of tickets that needed somebody. */
export const allotted = new Counter({ name: 'deskstream_assignment_allotted_total', help: 'Tickets that needed somebody, by what came of it', labelNames: ['outcome'] });

/** Organisations whose tickets could not be dealt out just now. */
export const troubles = new Counter({ name: 'deskstream_assignment_troubles_total', help: 'Failed attempts to deal out tickets of an organisation' });

/** How long ago the agenda was looked at successfully. */
export const lastLook = new Gauge({ name: 'deskstream_assignment_last_look_seconds', help: 'When the agenda was last looked at, seconds since the epoch' });

/** What was to be told or done about deadlines. */
export const deadlinesTold = new Counter({ name: 'deskstream_assignment_deadlines_told_total', help: 'Messages and commands about deadlines that were stored, by type', labelNames: ['type'] });

/** Failed attempts to watch deadlines, or to send news of them. */
export const deadlineTroubles = new Counter({ name: 'deskstream_assignment_deadline_troubles_total', help: 'Failed attempts to watch deadlines or to send news of them' });

/** When timers were last looked at successfully. */
export const lastTimerLook = new Gauge({ name: 'deskstream_assignment_last_timer_look_seconds', help: 'When timers were last looked at, seconds since the epoch' });

/** As of when timers were looked at: it stands still while something that was decided may not have been heard. */
export const judgedUpTo = new Gauge({ name: 'deskstream_assignment_timers_judged_seconds', help: 'Up to when deadlines are judged, seconds since the epoch: it stands still while commands or events are not worked off' });

/** Deliveries that came to their end. */
export const deliveriesEnded = new Counter({ name: 'deskstream_deliveries_ended_total', help: 'Deliveries that came to their end', labelNames: ['channel', 'outcome'] });

/** How long tries take. */
export const sendSeconds = new Histogram({ name: 'deskstream_delivery_try_seconds', help: 'How long a try to deliver took', labelNames: ['channel'], buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30] });

/** Failures of our own while delivering. */
export const deliveryTroubles = new Counter({ name: 'deskstream_delivery_troubles_total', help: 'Times that deliveries could not be worked on' });

/** What became of mails in the mailbox that is looked into. */
export const mailboxMails = new Counter({ name: 'deskstream_inbound_mailbox_mails_total', help: 'Mails of the mailbox that is looked into, by what became of them', labelNames: ['outcome'] });

/** Failed looks into it. */
export const mailboxTroubles = new Counter({ name: 'deskstream_inbound_mailbox_troubles_total', help: 'Times that the mailbox could not be looked into, by reason', labelNames: ['reason'] });

/** When it was last looked into successfully. */
export const lastMailboxLook = new Gauge({ name: 'deskstream_inbound_mailbox_last_look_seconds', help: 'When the mailbox was last looked into, seconds since the epoch' });

/** Records that outside systems were told. */
export const outboundTold = new Counter({ name: 'deskstream_outbound_events_total', help: 'Events that the topic of an outside system has acknowledged', labelNames: ['system'] });
