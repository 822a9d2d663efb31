import { setTimeout as delay } from 'node:timers/promises';
import type { CommandValue } from '#contracts';
import { EventStream } from '../support/event-stream.js';
import { createCommands } from './commands.js';
import type { Figures } from './measures.js';
import { orgId, until, type Setting } from './setting.js';

const eventsPerSecond = 200;
const reader = { type: 'member', id: 'reader', name: 'Reader' } as const;

/** How long after its event a notice comes to who listens, at a steady rate of events that each tell somebody. */
export async function notices(setting: Setting, { seconds }: { seconds: number }): Promise<Figures> {
  const app = await setting.startNotification();
  const token = setting.stack.token({ org: orgId, sub: reader.id, role: 'member', name: reader.name, ttl: 86_400 });
  const stream = await EventStream.open(setting.stack.gatewayUrl, token);
  const came: { at: number; delay: number }[] = [];
  stream.onHeard = ({ event, data }) => {
    if (event === 'notice') came.push({ at: Date.now(), delay: Date.now() - Date.parse((data as { at: string }).at) });
  };
  // The service hears of people over Kafka: until it has, it tells them nothing.
  await until('the first notice', async () => {
    await setting.produce(assigned(1));
    await delay(500);
    return came.length > 0;
  });
  await setting.settled();
  came.length = 0;
  const total = seconds * eventsPerSecond;
  for (let sent = 0; sent < total; sent += eventsPerSecond / 10) await Promise.all([delay(100), setting.produce(assigned(eventsPerSecond / 10))]);
  await until('the last notice', async () => came.length >= total);
  stream.close();
  await app.end();
  // The first second starts what is compiled and opened once.
  const delays = came.slice(eventsPerSecond).map((one) => one.delay).sort((one, other) => one - other);
  const at = (share: number) => delays[Math.floor(share * delays.length)]!;
  return { [`notice: event to notice at ${eventsPerSecond}/s, p50 / p99 ms`]: `${at(0.5)} / ${at(0.99)}` };
}

const assigned = (count: number) =>
  createCommands(orgId, count).map((record) => {
    const value = JSON.parse(String(record.value)) as CommandValue<'ticket.create.v1'>;
    return { ...record, value: JSON.stringify({ ...value, data: { ...value.data, assignee: reader } }) };
  });
