import { randomUUID } from 'node:crypto';
import { SlaPolicyInput, type SlaPolicy } from '#contracts';
import { Calendar } from '../src/deadlines/calendar.js';
import type { Rule } from '../src/deadlines/clocks.policy.js';

/** What somebody wants of a policy, with good defaults: an hour for each reply, a day for the resolution. */
export const policyInput = (changes: Partial<SlaPolicyInput> = {}): SlaPolicyInput => {
  const times = { firstReply: 60, nextReply: 60, resolution: 1_440 };
  return SlaPolicyInput.parse({ name: 'Quick', targets: { low: times, normal: times, high: times, urgent: times }, ...changes });
};

/** A policy ready to judge by, as old as any ticket. */
export function ruleOf(changes: Partial<SlaPolicyInput> = {}, since = '2020-01-01T00:00:00.000Z'): Rule {
  const policy: SlaPolicy = { id: randomUUID(), ...policyInput(changes), since };
  return { policy, time: new Calendar(policy.hours) };
}
