import type { CustomFieldValue, RuleCondition, Ticket } from '#contracts';

/** What rules look at. */
export type TicketFacts = Pick<Ticket, 'priority' | 'tags' | 'assistantId' | 'channel' | 'customFields'> & {
  /** Of the requester's e-mail address, in lower case. */
  requesterDomain: string | null;
};

/** What rules look at of a ticket. */
export function factsOf({ priority, tags, assistantId, channel, customFields, requester }: Ticket): TicketFacts {
  const address = requester?.email;
  const requesterDomain = address === undefined ? null : address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  return { priority, tags, assistantId, channel, customFields, requesterDomain };
}

/** Whether a rule is for a ticket: all that its condition says must hold. */
export function isFor(condition: RuleCondition, facts: TicketFacts): boolean {
  return tests.every((test) => test(condition, facts));
}

type Test = (condition: RuleCondition, facts: TicketFacts) => boolean;

const among = (list: readonly string[] | undefined, value: string | null) => list === undefined || (value !== null && list.includes(value));

const tests: Test[] = [
  ({ assistantIds }, facts) => among(assistantIds, facts.assistantId),
  ({ priorities }, facts) => among(priorities, facts.priority),
  ({ channels }, facts) => among(channels, facts.channel),
  ({ tags }, facts) => tags === undefined || tags.some((tag) => facts.tags.includes(tag)),
  ({ requesterDomains: domains }, { requesterDomain: domain }) => domains === undefined || (domain !== null && domains.some((one) => domain === one || domain.endsWith(`.${one}`))),
  ({ customFields = {} }, facts) => Object.entries(customFields).every(([name, value]) => fieldOf(facts, name) === value),
];

/** A field may have any name. */
const fieldOf = ({ customFields }: TicketFacts, name: string): CustomFieldValue | undefined => (Object.hasOwn(customFields, name) ? customFields[name] : undefined);
