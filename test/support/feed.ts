import { topics, type EventValue } from '#contracts';
import type { Client } from './client.js';
import { eventually } from './eventually.js';
import type { TopicTail } from './topic-tail.js';

/** An event as `GET /v1/events` tells it. */
export interface FeedItem {
  id: string;
  ticketId: string;
  version: number;
  type: string;
}

/** Every event of a feed behind a place, and where it goes on. @throws what the route refused with */
export async function feedBehind(client: Client, after = '0', limit = 100): Promise<{ items: FeedItem[]; next: string }> {
  const items: FeedItem[] = [];
  for (let next = after; ; ) {
    const { status, body, text } = await client.get(`/events?after=${next}&limit=${limit}`);
    if (status !== 200) throw new Error(text);
    const page = body['items'] as FeedItem[];
    items.push(...page);
    if (page.length === 0) return { items, next: body['nextAfter'] as string };
    next = body['nextAfter'] as string;
  }
}

/** What is wrong with an organisation's feed, going by its events on the topic: each must be there once, a ticket's in the order of versions. */
export async function wrongFeed(client: Client, tail: TopicTail, orgId: string): Promise<string[]> {
  await tail.readToEnd();
  const events = tail.records(topics.events).filter(({ value }) => (JSON.parse(value!.toString()) as EventValue).orgId === orgId);
  const expected = new Set(events.map(({ headers }) => headers['ce_id']!));
  const { items } = await eventually(async () => {
    const feed = await feedBehind(client);
    return feed.items.length >= expected.size && feed;
  });
  const versions = Map.groupBy(items, ({ ticketId }) => ticketId);
  return [
    ...items.filter(({ id }) => !expected.has(id)).map(({ id }) => `${id} never happened`),
    ...[...versions].filter(([, those]) => those.some(({ version }, i) => version !== i + 1)).map(([id, those]) => `the feed has versions ${those.map(({ version }) => version).join(', ')} of ${id}`),
    ...[...expected].filter((id) => !items.some((item) => item.id === id)).map((id) => `${id} is missing`),
  ];
}
