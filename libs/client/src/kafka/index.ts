export { OutsideSystem, type Outcome, type OutsideSystemOptions, type SendOptions } from './outside-system.js';
export { DeskstreamNoAnswer } from '../errors.js';
export type { InboundRecord } from './record.js';
