import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topics } from '#contracts';
import { ensureTopics, type OutgoingRecord, RecordProducer } from '#messaging';
import { built } from '../../tools/places.js';
import { eventually } from '../support/eventually.js';
import { recordOf } from '../support/command-client.js';
import { mixedLoad } from '../support/mixed-load.js';
import { anyServers, deadCommands, WritePath } from '../support/write-path.js';

const killed = ['--import', built('test/support/killed-after-send.js')];

describe('dead letters in the hands of operators', () => {
  let servers: Awaited<ReturnType<typeof anyServers>>;
  let path: WritePath;
  let producer: RecordProducer;

  beforeAll(async () => {
    servers = await anyServers();
    path = await WritePath.open(servers);
    producer = new RecordProducer({ brokers: servers.kafkaBrokers.split(','), clientId: 'dead-letters-spec', maxRecordBytes: 4 << 20 });
    await Promise.all([path.stack.add('ticket-command', { env: { ALLOW_PAST_COMMANDS: 'false' } }), producer.connect()]);
  });

  afterAll(async () => {
    await producer?.close();
    await path?.close();
    await servers?.stop();
  });

  async function run(words: string[], node: string[] = []) {
    const child = spawn(process.execPath, [...node, built('tools/dead-letters/main.js'), ...words], { env: { ...process.env, NODE_OPTIONS: '', KAFKA_BROKERS: servers.kafkaBrokers }, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<[number | null, string | null]>((resolve) => child.once('exit', (...end) => resolve(end)));
    const [out, err, [code, signal]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
    return { code, signal, out: out.toString(), err: err.toString() };
  }

  interface Line { id: string; state: string; source: { partition: number; offset: string } | null; reason: string; orgId: string; key: string | null; bytes: number | null; replayOf: string | null; hindrance: string | null }
  const listed = async (...words: string[]) => (await run(['list', '--json', '--limit', '9999', ...words])).out.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Line);
  const stateOf = async (id: string) => (await listed()).find((letter) => letter.id === id)!.state;

  /** Creates that say when they happened: dead letters unless the past is allowed. */
  const past = (count: number) => {
    const org = `past-${randomUUID().slice(0, 8)}`;
    const commands = mixedLoad(org, count, org).filter(({ type, expected }) => type === 'ticket.create.v1' && typeof expected === 'object').slice(0, count);
    const records = commands.map((command): OutgoingRecord => {
      const record = recordOf(command);
      return { ...record, value: JSON.stringify({ ...(JSON.parse(String(record.value)) as object), at: '2025-05-05T05:05:05.000Z' }) };
    });
    return { org, commands, records };
  };
  const lettersOf = (org: string, count: number) => eventually(async () => {
    const found = await listed('--org', org);
    return found.length === count && found;
  });
  const onTopic = async (topic: string, org: string) => {
    await path.tail.readToEnd();
    return path.tail.records(topic).filter(({ headers }) => headers['ce_orgid'] === org);
  };

  it('are listed with what is known of them and shown with all of it', async () => {
    const { org, records } = past(1);
    await producer.send(records);
    const [letter] = await lettersOf(org, 1);
    expect(letter).toMatchObject({ reason: 'schema-invalid', state: 'waiting', orgId: org, consumer: 'ticket-command', type: 'ticket.create.v1', key: records[0]!.key, source: { topic: topics.commands } });
    const { code, out } = await run(['list', '--org', org]);
    expect([code, out]).toEqual([0, expect.stringContaining(letter!.id)]);
    expect((await run(['show', letter!.id])).out).toContain('"at": "2025-05-05T05:05:05.000Z"');
    expect((await run(['show', letter!.id, '--value'])).out).toBe(records[0]!.value);
    expect(await listed('--org', org, '--reason', 'not-json')).toEqual([]);
    expect(await listed('--org', org, '--topic', topics.events)).toEqual([]);
    expect(await listed('--org', org, '--state', 'replayed')).toEqual([]);
  });

  it('make the ticket when the cause is mended, once, byte for byte and in their own partition', async () => {
    const { org, records, commands } = past(1);
    await producer.send(records);
    const [letter] = await lettersOf(org, 1);
    for (const app of path.stack.apps['ticket-command']) await app.end();
    await path.stack.add('ticket-command', { env: { ALLOW_PAST_COMMANDS: 'true' } });

    expect(await run(['replay', letter!.id, '--as', 'ada'])).toMatchObject({ code: 0, out: expect.stringContaining(`replayed ${letter!.id}`) });
    await eventually(async () => (await onTopic(topics.events, org)).length > 0);
    const [first, again] = await onTopic(topics.commands, org);
    expect(again!.partition).toBe(first!.partition);
    expect([again!.key, again!.value]).toEqual([first!.key, first!.value]);
    const plain = (record: typeof first) => record!.rawHeaders.map(({ key, value }) => `${key}=${value}`);
    expect(plain(again)).toEqual([...plain(first), `replayed_from=${letter!.id}`]);

    expect(await run(['replay', letter!.id])).toMatchObject({ code: 0, out: expect.stringMatching(/^done before .* by ada\n$/) });
    expect(await onTopic(topics.commands, org)).toHaveLength(2);
    expect(await run(['replay', letter!.id, '--again'])).toMatchObject({ code: 0, out: expect.stringMatching(/^replayed/) });
    await eventually(async () => (await path.tail.lagOf('ticket-command', topics.commands)) === 0);
    expect((await onTopic(topics.events, org)).map(({ headers }) => headers['ce_id'])).toEqual(expect.arrayContaining([`${commands[0]!.ticketId}:1`]));
    expect(new Set((await onTopic(topics.events, org)).map(({ headers }) => headers['ce_id'])).size).toBe(1);
  });

  it('say after a crash between writing back and recording that it is not known, and go on with --again', async () => {
    const id = `broken-${randomUUID()}`;
    await producer.send([{ topic: topics.commands, key: id, value: '{', headers: { ce_orgid: id } }]);
    const [letter] = await lettersOf(id, 1);
    expect(await run(['replay', letter!.id], killed)).toMatchObject({ signal: 'SIGKILL' });
    expect(await stateOf(letter!.id)).toBe('replaying');
    expect(await run(['replay', letter!.id])).toMatchObject({ code: 1, err: expect.stringContaining('--again') });
    expect(await run(['discard', letter!.id, '--reason', 'x'])).toMatchObject({ code: 1 });
    expect(await run(['replay', letter!.id, '--again'])).toMatchObject({ code: 0 });
    expect(await stateOf(letter!.id)).toBe('replayed');
    const letters = await lettersOf(id, 3); // what is given up again is a letter of its own
    expect(letters.filter(({ replayOf }) => replayOf === letter!.id).map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  });

  it('go to one of two operators', async () => {
    const id = `race-${randomUUID()}`;
    await producer.send([{ topic: topics.commands, key: id, value: '{', headers: { ce_orgid: id } }]);
    const [letter] = await lettersOf(id, 1);
    const runs = await Promise.all([1, 2, 3].map((one) => run(['replay', letter!.id, '--json', '--as', `operator ${one}`])));
    const outcomes = runs.map(({ out }) => (JSON.parse(out) as { outcome: string }).outcome);
    expect(outcomes.filter((outcome) => outcome === 'replayed')).toHaveLength(1);
    await lettersOf(id, 2);
  });

  it('are discarded with a reason, and stay where they are', async () => {
    const id = `away-${randomUUID()}`;
    await producer.send([1, 2].map(() => ({ topic: topics.commands, key: id, value: '{', headers: { ce_orgid: id } })));
    await lettersOf(id, 2);
    expect(await run(['discard', '--org', id, '--reason', 'a test'])).toMatchObject({ code: 2, err: expect.stringContaining('Discard 2 dead letters? Say --yes') });
    expect(await run(['discard', '--org', id, '--reason', 'a test', '--yes'])).toMatchObject({ code: 0 });
    const [letter] = await listed('--org', id, '--state', 'discarded');
    expect((await run(['show', letter!.id])).out).toContain('a test');
    expect(await run(['replay', letter!.id])).toMatchObject({ code: 1, err: expect.stringContaining('discarded') });
    expect(await run(['replay', '--org', id, '--yes'])).toMatchObject({ code: 0, err: expect.stringContaining('nothing to do') });
  });

  it('that are strange are listed, shown and refused in words, and no terminal obeys them', async () => {
    const org = `strange-${randomUUID().slice(0, 8)}`;
    const told = (more: Record<string, string> = {}) => ({ dead_reason: 'not-json', dead_detail: '\u001b[2J\u202e', dead_topic: topics.commands, dead_partition: '0', dead_offset: '1', dead_time: new Date().toISOString(), dead_consumer: 'x', dead_attempts: '1', ce_orgid: org, ...more });
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`h${at}`, 'x']));
    const gone = 'dead.spec.gone.topic.v1';
    const letters: OutgoingRecord[] = [
      { topic: deadCommands, key: null, value: null, headers: told() },
      { topic: deadCommands, key: 'large', value: Buffer.alloc(2 << 20, 'x'), headers: told() },
      { topic: deadCommands, key: 'many', value: '\u001b]0;owned\u0007', headers: told(many) },
      { topic: deadCommands, key: 'forged', value: '{}', headers: told({ dead_topic: topics.events }) },
      { topic: deadCommands, key: 'none', value: '{}', headers: { ce_orgid: org } },
      { topic: gone, key: 'gone', value: '{}', headers: told({ dead_topic: 'gone.topic.v1' }) },
    ];
    const limit = { 'max.message.bytes': '4194304' };
    await ensureTopics(servers.kafkaBrokers.split(','), [{ name: gone, partitions: 1, replication: 1, config: limit }]);
    await producer.send(letters);
    const found = await lettersOf(org, letters.length);
    for (const { id } of found) {
      const { code, out } = await run(['show', id]);
      expect(code).toBe(0);
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
    expect((await run(['list', '--org', org])).out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const { code, out } = await run(['replay', '--org', org, '--yes', '--json']);
    expect(code).toBe(1);
    const outcomes = out.split('\n').filter(Boolean).map((line) => JSON.parse(line) as { id: string; outcome: string; detail: string });
    const of = (key: string | null) => outcomes.find(({ id }) => id === found.find((letter) => letter.key === key)!.id)!;
    expect([null, 'large', 'many', 'forged', 'none', 'gone'].map((key) => of(key).outcome)).toEqual(['replayed', 'refused', 'replayed', 'refused', 'refused', 'refused']);
    expect(of('large').detail).toContain('does not take it');
    expect(of('gone').detail).toContain('gone.topic.v1 does not exist any more');
    expect(await stateOf(of('large').id)).toBe('waiting');
  });

  it('are asked for in ways that make no sense: exit code 2 and what to do', async () => {
    for (const words of [[], ['bury'], ['show', 'x/1'], ['replay'], ['replay', '--org', 'x', '--limit', 'y'], ['list', '--since', 'noon'], ['discard', `${deadCommands}/0/0`]]) {
      expect([words, await run(words)]).toEqual([words, expect.objectContaining({ code: 2, out: '', err: expect.stringMatching(/\S/) })]);
    }
    expect(await run(['show', `${deadCommands}/0/999999`])).toMatchObject({ code: 1, err: expect.stringContaining('list shows') });
    expect(await run(['replay', '--help'])).toMatchObject({ code: 0, out: expect.stringContaining('Examples:') });
  });
});
