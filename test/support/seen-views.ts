import { isDeepStrictEqual } from 'node:util';
import { shortEventType, topics, type EventType, type EventValue, type TicketDetail } from '#contracts';
import type { Client } from './client.js';
import type { TopicTail } from './topic-tail.js';

/** What an administrator sees of tickets through REST that is not what their events on the topic tell: view, timeline, comments. */
export async function wrongViews(client: Client, tail: TopicTail, ticketIds: Iterable<string>): Promise<string[]> {
  await tail.readToEnd();
  const events = Map.groupBy(tail.records(topics.events), ({ key }) => key!.toString());
  const wrong: string[] = [];
  for (const id of ticketIds) {
    const distinct = new Map((events.get(id) ?? []).map((record) => [record.headers['ce_id'], record]));
    const told = [...distinct.values()].map((record) => ({ type: record.headers['ce_type'] as EventType, ...(JSON.parse(record.value!.toString()) as EventValue) }));
    wrong.push(...(await compare(client, id, told)));
  }
  return wrong;
}

async function compare(client: Client, id: string, told: ({ type: EventType } & EventValue)[]): Promise<string[]> {
  const newest = told.at(-1);
  if (newest === undefined) return [`${id} has no events`];
  await client.shown(id, newest.version);
  const { allowedTransitions: _moves, deadlines: _deadlines, ...ticket } = (await client.get(`/tickets/${id}`)).body as unknown as TicketDetail;
  const timeline = (await client.get(`/tickets/${id}/timeline?limit=100`)).body['items'] as unknown;
  const comments = (await client.get(`/tickets/${id}/comments?limit=100`)).body['items'] as { id: string }[];
  const rows = told.map(({ type, version, at, actor, data }) => ({ version, type: shortEventType(type), at, actor, data }));
  const said = told.flatMap(({ data }) => ('comment' in data && data.comment ? [data.comment.id] : []));
  return [
    ...(isDeepStrictEqual(ticket, newest.ticket) ? [] : [`${id} is not shown as version ${newest.version} left it`]),
    ...(isDeepStrictEqual(timeline, rows) ? [] : [`the timeline of ${id} is not its ${rows.length} events`]),
    ...(isDeepStrictEqual(comments.map((comment) => comment.id), said) ? [] : [`the comments of ${id} are not the ${said.length} that were made`]),
  ];
}
