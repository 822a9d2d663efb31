import { randomUUID } from 'node:crypto';
import { commandData, topics, type CommandType, type CommandValue } from '#contracts';
import { toHeaders, type OutgoingRecord } from '#messaging';

const words = ['invoice', 'password', 'delivery', 'refund', 'login', 'contract', 'printer', 'address', 'order', 'payment', 'account', 'upgrade'];
const pick = (index: number) => words[index % words.length]!;

/** Body of a believable new ticket, about 400 bytes. */
export const ticketBody = (index: number) => ({
  title: `Customer asks about ${pick(index)} and ${pick(index * 7 + 3)} (${index})`,
  description: `The customer wrote that the ${pick(index * 5 + 1)} from last week is not right. They expect an answer about the ${pick(index * 3 + 2)} today. Reference ${index}.`,
  priority: (['low', 'normal', 'high', 'urgent'] as const)[index % 4]!,
  assistantId: 'bench-bot',
  requester: { id: `customer-${index % 5_000}`, name: `Customer ${index % 5_000}`, email: `customer-${index % 5_000}@example.org` },
  tags: [pick(index), pick(index + 5)],
});

/** Records of commands as a gateway would send them. */
export function createCommands(orgId: string, count: number, topic: string = topics.commands, headers: Record<string, string> = {}): OutgoingRecord[] {
  return Array.from({ length: count }, (_, index) => record('ticket.create.v1', { orgId, index, topic, headers }));
}

function record(type: CommandType, { orgId, index, topic, headers }: { orgId: string; index: number; topic: string; headers: Record<string, string> }): OutgoingRecord {
  const [ticketId, commandId] = [randomUUID(), randomUUID()];
  const value: CommandValue<'ticket.create.v1'> = {
    orgId,
    ticketId,
    actor: { type: 'member', id: 'bench', name: 'Bench' },
    access: { role: 'admin', assistantIds: [] },
    channel: 'api',
    payloadHash: commandId,
    data: commandData['ticket.create.v1'].parse(ticketBody(index)),
  };
  const envelope = { id: commandId, type, source: `/organisations/${orgId}/tickets`, subject: ticketId, time: new Date().toISOString(), orgId };
  return { topic, key: ticketId, value: JSON.stringify(value), headers: { ...toHeaders(envelope), ...headers } };
}
