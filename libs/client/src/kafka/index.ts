export { OutsideSystem, type OutsideSystemOptions, type SendOptions } from './outside-system.js';
export { followEvents, type FollowOptions, type OutboundEvent, type OutboundTicket } from './outbound.js';
export { DeskstreamNoAnswer } from '../errors.js';
export type { Outcome } from './awaited.js';
export type { InboundRecord } from './record.js';
