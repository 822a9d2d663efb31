import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { eventId, topics } from '#contracts';
import { eventually } from '../support/eventually.js';
import { abortAt, type AbortPoint, undisturbed } from '../support/abort-plan.js';
import type { AppHandle } from '../support/app-handle.js';
import { recordOf } from '../support/command-client.js';
import { forgetMembers, memberCount } from '../support/group-members.js';
import { mixedLoad, type PlannedCommand } from '../support/mixed-load.js';
import { anyServers, WritePath } from '../support/write-path.js';

describe('several instances of ticket-command', () => {
  let servers: Awaited<ReturnType<typeof anyServers>>;
  let path: WritePath;
  let one: AppHandle;
  let other: AppHandle;

  beforeAll(async () => {
    servers = await anyServers();
    path = await WritePath.open(servers);
    [one, other] = await Promise.all([path.stack.add('ticket-command'), path.stack.add('ticket-command')]);
    await Promise.all([one.end(), other.end()]);
  });

  afterEach(() => Promise.all([one.end(), other.end()]));

  afterAll(async () => {
    await path.close();
    await servers.stop();
  });

  /** Event records on the topic, repeats included. */
  const published = async () => {
    await path.tail.readToEnd();
    return path.tail.records(topics.events).length;
  };
  const loseSession = () => forgetMembers(servers.kafkaBrokers, 'ticket-command');
  /** Both instances are in the group: the sleeper has ended what it had in hand, and knows what it missed. */
  const reunited = () => eventually(async () => (await memberCount(servers.kafkaBrokers, 'ticket-command')) === 2);

  it('share the work while one comes, goes, comes again, and another one is killed', async () => {
    const load = mixedLoad(`rebalance ${Date.now()}`, 60);
    const parts = quarters(load);
    await one.restart(undisturbed);
    const changes = [() => other.restart(undisturbed), () => one.kill('SIGTERM'), () => one.restart(), () => other.kill()];
    for (const [index, change] of changes.entries()) await Promise.all([path.client.stream(parts[index]!, 20), change()]);
    await loseSession(); // of the one that was killed; the one that lives joins again
    await other.restart();
    await path.settled(load);
    expect(await path.verdict(load)).toEqual([]);
  });

  it('survive one that slept with commands in hand until the group had given its partitions away, and went on as if nothing were', async () => {
    const load = mixedLoad(`asleep ${Date.now()}`, 24);
    await path.client.send(load);
    one.start(abortAt({ point: 'after-look-up', signal: 'SIGSTOP' }));
    await eventually(() => isStopped(one));
    await loseSession();
    await other.restart(undisturbed);
    await path.settled(load);
    const before = await published();
    await one.kill('SIGCONT');
    await reunited();
    expect(await published()).toBeGreaterThan(before);
    await path.settled(load);
    expect(await path.verdict(load)).toEqual([]);
  });

  const naps: { point: AbortPoint; occurrence: number }[] = [
    { point: 'after-look-up', occurrence: 1 },
    { point: 'after-insert', occurrence: 2 },
    { point: 'after-some-events', occurrence: 1 },
    { point: 'before-offset-commit', occurrence: 1 },
  ];

  it.each(naps)('survive one that remembers tickets and sleeps $point while a successor takes them further', async ({ point, occurrence }) => {
    const held = quarters(mixedLoad(`held ${point} ${Date.now()}`, 12));
    const remembered = quarters(mixedLoad(`remembered ${point} ${Date.now()}`, 12));
    const known = [...held[0], ...remembered[0]];
    const missed = [...held[2], ...remembered[1], ...remembered[2]];
    const later = [...held[3], ...remembered[3]];
    one.start(abortAt({ point, occurrence, signal: 'SIGSTOP', armed: 'later' }));
    await one.untilReady();
    await path.client.send(known);
    await path.settled(known);
    const armed = one.logs().split('armed\n').length;
    await one.kill('SIGUSR2');
    await eventually(() => one.logs().split('armed\n').length > armed);
    await path.client.send(held[1]);
    await eventually(() => isStopped(one));
    await loseSession();
    await other.restart(undisturbed);
    await path.client.send(missed);
    await path.settled([...known, ...held[1], ...missed]);
    await one.kill('SIGCONT');
    await reunited();
    await path.client.send(later);
    const load = [...known, ...held[1], ...missed, ...later];
    await path.settled(load);
    expect(await path.verdict(load)).toEqual([]);
  });

  it('survive a sleeper that overtakes its successor: each version first appears after the one before, whoever stored it', async () => {
    const load = mixedLoad(`overtake ${Date.now()}`, 24);
    await path.client.send(load);
    one.start(abortAt({ point: 'after-look-up', signal: 'SIGSTOP' }));
    await eventually(() => isStopped(one));
    await loseSession();
    other.start(abortAt({ point: 'after-insert', signal: 'SIGSTOP' }));
    await eventually(() => isStopped(other));
    const { commits, events } = await path.seen(load);
    expect([commits > 0, events]).toEqual([true, 0]);
    await one.kill('SIGCONT');
    await eventually(async () => (await path.seen(load)).answers > 0);
    expect(isStopped(other)).toBe(true);
    await loseSession();
    await other.kill('SIGCONT');
    await reunited();
    await path.settled(load);
    expect(await path.verdict(load)).toEqual([]);
  });

  it('never make a version twice, even of a ticket whose commands were spread over the partitions by mistake', async () => {
    const [create, comment] = mixedLoad(`spread ${Date.now()}`, 1) as [PlannedCommand, PlannedCommand];
    const { expectedVersion: _any, ...plain } = comment;
    const comments = Array.from({ length: 120 }, () => ({ ...plain, commandId: randomUUID() }));
    await Promise.all([one.restart(undisturbed), other.restart(undisturbed)]);
    await path.client.send([create]);
    await path.settled([create]);
    const producer = new Kafka({ brokers: servers.kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    for (const [index, command] of comments.entries()) {
      const { topic, key, value, headers } = recordOf(command) as { topic: string; key: string; value: string; headers: Record<string, string> };
      await producer.send({ topic, messages: [{ key, value, headers, partition: index % 12 }] });
    }
    await producer.disconnect();
    await path.settled(comments);
    const events = path.tail.records(topics.events).filter(({ key }) => key!.toString() === create.ticketId);
    const versions = Map.groupBy(events, ({ headers }) => headers['ce_id']!);
    expect([...versions.keys()].sort()).toEqual([create, ...comments].map((_, index) => eventId(create.ticketId, index + 1)).sort());
    expect([...versions].filter(([, records]) => new Set(records.map(({ value }) => value!.toString())).size > 1).map(([id]) => id)).toEqual([]);
  });
});

function quarters<T>(load: readonly T[]): [T[], T[], T[], T[]] {
  const quarter = Math.ceil(load.length / 4);
  return [0, 1, 2, 3].map((index) => load.slice(index * quarter, (index + 1) * quarter)) as [T[], T[], T[], T[]];
}

/** Whether it stands still by SIGSTOP. */
const isStopped = ({ pid }: AppHandle) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.startsWith('T');
