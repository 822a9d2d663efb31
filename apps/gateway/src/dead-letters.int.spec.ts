import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetterPage, type DeadLetterView, type DeadLetterWhole } from '#contracts';
import { createTopics, decide, Desk, readSystemTopics, RecordProducer, type IncomingRecord } from '#messaging';
import { Client, expectProblem } from '../testing/client.js';
import { openGateway, type TestGateway } from '../testing/gateway.js';
import { DeadLetters } from './dead-letters.js';

const brokers = process.env['KAFKA_BROKERS']!.split(',');
const path = '/v1/dead-letters';
const run = randomUUID().slice(0, 8);
const [acme, globex, erp, foreign] = [`acme-${run}`, `globex-${run}`, `erp-${run}`, `crm-${run}`];
const commands = 'ticket.commands.v1';

let gateways: TestGateway[];
let letters: DeadLetters[];
let producer: RecordProducer;
/** Looks at topics with the operators' eyes. */
let desk: Desk;
let ada: Client;
let elsewhere: Client;
let hank: Client;
let grace: Client;

beforeAll(async () => {
  const ofSystem = await readSystemTopics('deploy/topics.yaml', 'local');
  await createTopics(brokers, [...ofSystem(erp), ...ofSystem(foreign)]);
  producer = new RecordProducer({ brokers, clientId: 'spec', maxRecordBytes: 8 << 20 });
  await producer.connect();
  desk = await Desk.open(brokers);
  const granted = { [acme]: [erp], [globex]: [erp, foreign] };
  const everIn = async (orgId: string) => new Set(granted[orgId]);
  letters = [1, 2].map(() => new DeadLetters(brokers, { everIn }));
  gateways = await Promise.all(letters.map((one) => openGateway({ letters: one })));
  const [first, second] = gateways as [TestGateway, TestGateway];
  ada = new Client(first.url, await first.token({ claims: { org: acme } }));
  elsewhere = new Client(second.url, await second.token({ claims: { org: acme, sub: 'alan' } }));
  hank = new Client(first.url, await first.token({ claims: { org: globex, sub: 'hank' } }));
  grace = new Client(first.url, await first.token({ claims: { org: acme, sub: 'grace', role: 'member' } }));
});
afterAll(async () => {
  for (const gateway of gateways ?? []) await gateway.stop();
  await Promise.all([desk?.close(), producer?.close()]);
});

interface Wish {
  source?: string;
  value?: string | null;
  orgId?: string | null;
}

/** Puts a letter on its topic; answers the mark by which it is known. */
async function bury({ source = commands, value, orgId = acme }: Wish = {}): Promise<string> {
  const mark = randomUUID();
  const told = { dead_reason: 'schema-invalid', dead_detail: mark, dead_topic: source, dead_partition: '3', dead_offset: '17', dead_time: new Date().toISOString(), dead_consumer: 'ticket-command', dead_attempts: '1' };
  const content = value === undefined ? JSON.stringify({ orgId: orgId ?? acme, mark }) : value;
  await producer.send([{ topic: `dead.ticket-command.${source}`, key: mark, value: content, headers: { ce_id: mark, ...(orgId !== null && { ce_orgid: orgId }), ...told } }]);
  return mark;
}

async function listed(client = ada, limit = 100): Promise<DeadLetterView[]> {
  const items: DeadLetterView[] = [];
  for (let after: string | null = '0'; after !== null; ) {
    const page: DeadLetterPage = DeadLetterPage.parse(await (await client.call(`${path}?limit=${limit}&after=${after}`)).json());
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    after = page.nextAfter;
  }
  return items;
}
const letterOf = async (mark: string, client = ada) => (await listed(client)).find(({ detail }) => detail === mark);
async function buried(wish: Wish = {}): Promise<DeadLetterView> {
  const mark = await bury(wish);
  return (await letterOf(mark))!;
}
const settle = (client: Client, { id }: { id: string }, action: 'replay' | 'discard') => client.post(`${path}/${id}/${action}`, action === 'discard' ? { reason: 'a test' } : '');
/** Records on a topic that a letter went back as. */
async function wentBack({ id }: { id: string }, topic = commands): Promise<IncomingRecord[]> {
  const found: IncomingRecord[] = [];
  for (const { partition, low, high } of await desk.reader.extent(topic)) {
    await desk.reader.read({ topic, partition, from: low, to: high }, (record) => {
      if (record.headers['replayed_from'] === id.replaceAll(':', '/')) found.push(record);
    });
  }
  return found;
}

describe('dead letters of an organisation', () => {
  it('are shown to its administrators with what is known of them', async () => {
    const mark = await bury();
    const letter = (await letterOf(mark))!;
    expect(letter).toMatchObject({ reason: 'schema-invalid', state: 'waiting', decision: null, consumer: 'ticket-command', key: mark, hindrance: null, source: { topic: commands, partition: 3, offset: '17' } });
    const whole = (await (await ada.call(`${path}/${letter.id}`)).json()) as DeadLetterWhole;
    expect(whole).toMatchObject({ ...letter, value: JSON.stringify({ orgId: acme, mark }), rawKey: mark, headers: expect.arrayContaining([['ce_id', mark]]) });
  });

  it.each<[string, Wish]>([
    ['another organisation', { orgId: globex }],
    ['an organisation that its header contradicts', { value: JSON.stringify({ orgId: globex }) }],
    ['nobody who can be told', { value: '{' }],
    ['nobody, without a value', { value: null }],
    ['a system that the organisation has not registered', { source: `ticket.inbound.${foreign}.v1` }],
  ])('are hidden from it when they are of %s', async (_, wish) => {
    const mark = await bury(wish);
    expect(await letterOf(mark)).toBeUndefined();
    let id = '';
    await desk.refresh();
    await desk.visit({ topic: wish.source ?? commands }, (letter) => {
      if (letter.detail === mark) id = letter.id.replaceAll('/', ':');
    });
    expect(id).not.toBe('');
    await expectProblem(ada.call(`${path}/${id}`), 404, 'not-found');
    await expectProblem(settle(ada, { id }, 'replay'), 404, 'not-found');
    await expectProblem(settle(ada, { id }, 'discard'), 404, 'not-found');
    expect(await wentBack({ id }, wish.source)).toEqual([]);
  });

  it('of a system that several registered are each one’s own', async () => {
    const source = `ticket.inbound.${erp}.v1`;
    const [ours, theirs] = [await bury({ source, orgId: null }), await bury({ source, orgId: globex })];
    expect([await letterOf(ours), await letterOf(theirs, hank)]).toMatchObject([{ detail: ours, source: { topic: source } }, { detail: theirs }]);
    expect([await letterOf(ours, hank), await letterOf(theirs)]).toEqual([undefined, undefined]);
  });

  it('are no business of members', async () => {
    const letter = await buried();
    for (const answer of [grace.call(path), grace.call(`${path}/${letter.id}`), settle(grace, letter, 'replay'), settle(grace, letter, 'discard')]) await expectProblem(answer, 403, 'forbidden');
  });

  it('come in pages, each letter once, whatever the size of a page', async () => {
    for (let n = 0; n < 5; n++) await bury();
    const all = (await listed()).map(({ id }) => id);
    expect(new Set(all).size).toBe(all.length);
    for (const limit of [1, 2, 3]) expect((await listed(elsewhere, limit)).map(({ id }) => id)).toEqual(all);
    await expectProblem(ada.call(`${path}?after=nope`), 422, 'invalid-cursor');
    await expectProblem(ada.call(`${path}/nope`), 400, 'malformed-request');
    await expectProblem(ada.call(`${path}/dead.ticket-command.${commands}:99:1`), 404, 'not-found');
    await expectProblem(ada.call(`${path}/dead.ticket-command.${commands}:1:999999`), 404, 'not-found');
  });

  it('are found among 40 MB of others’ with many short answers instead of one long', async () => {
    const source = `ticket.inbound.${erp}.v1`;
    const large = JSON.stringify({ orgId: globex, data: 'x'.repeat(500 << 10) });
    for (let n = 0; n < 80; n++) await bury({ source, value: large, orgId: globex });
    const mark = await bury({ source });
    let pages = 0;
    for (let after: string | null = '0'; after !== null; pages++) {
      const page = DeadLetterPage.parse(await (await ada.call(`${path}?limit=100&after=${after}`)).json());
      after = page.nextAfter;
    }
    expect(pages).toBeGreaterThan(2);
    expect(await letterOf(mark)).toBeDefined();
  });
});

describe('a dead letter that is replayed', () => {
  it('goes back once, at whichever gateway and however often it is asked for, and it is recorded who did it', async () => {
    const letter = await buried();
    const answers = await Promise.all([ada, elsewhere, ada, elsewhere].map((client) => settle(client, letter, 'replay')));
    const won = answers.filter(({ status }) => status === 200);
    expect(won.length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true); // 409: somebody else is at it
    const again = await settle(elsewhere, letter, 'replay');
    const body = (await again.json()) as DeadLetterView;
    expect([again.status, body]).toMatchObject([200, { id: letter.id, state: 'replayed', decision: { by: expect.stringMatching(/^(ada|alan)$/) } }]);
    const [record, ...more] = await wentBack(letter);
    expect([record?.partition, String(record?.value), more]).toEqual([3, JSON.stringify({ orgId: acme, mark: letter.detail }), []]);
    await desk.refresh();
    const place = letter.id.split(':');
    const found = await desk.find({ topic: place[0]!, partition: Number(place[1]), offset: Number(place[2]) });
    expect(desk.ledger.decisions.of({ id: letter.id.replaceAll(':', '/'), writtenAt: found!.timestamp })).toMatchObject({ state: 'replayed', by: expect.stringMatching(new RegExp(`^member (ada|alan) of ${acme}$`)) });
  });

  it('cannot be discarded, nor a discarded one be replayed', async () => {
    const [one, other] = [await buried(), await buried()];
    expect((await settle(ada, one, 'replay')).status).toBe(200);
    expect(await expectProblem(settle(ada, one, 'discard'), 409, 'invalid-transition')).toMatchObject({ from: 'replayed', to: 'discarded', allowed: [] });
    expect(await (await settle(ada, other, 'discard')).json()).toMatchObject({ state: 'discarded', decision: { by: 'ada', reason: 'a test' } });
    expect((await settle(elsewhere, other, 'discard')).status).toBe(200);
    await expectProblem(settle(ada, other, 'replay'), 409, 'invalid-transition');
    expect(await wentBack(other)).toEqual([]);
  });

  it('under an Idempotency-Key meets its first answer, and another request under the key is refused', async () => {
    const [one, other, key] = [await buried(), await buried(), { 'idempotency-key': randomUUID() }];
    const first = await ada.post(`${path}/${one.id}/replay`, '', key);
    const again = await ada.post(`${path}/${one.id}/replay`, '', key);
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
    expect(await again.json()).toEqual(await first.json());
    expect((await ada.post(`${path}/${other.id}/discard`, { reason: 'x' }, key)).status).toBe(200);
    await expectProblem(ada.post(`${path}/${other.id}/discard`, { reason: 'y' }, key), 422, 'idempotency-key-reused');
    expect((await ada.post(`${path}/${other.id}/discard`, { reason: 'y' })).headers.get('idempotency-replayed')).toBeNull();
    expect(await letterOf(other.detail)).toMatchObject({ decision: { reason: 'x' } });
  });

  it('stays where it is when it does not say believably where it came from', async () => {
    const mark = randomUUID();
    const headers = { dead_reason: 'not-json', dead_detail: mark, dead_topic: 'ticket.events.v1', dead_partition: '0', dead_offset: '1', dead_time: new Date().toISOString(), dead_consumer: 'x', dead_attempts: '1' };
    await producer.send([{ topic: `dead.ticket-command.${commands}`, key: mark, value: JSON.stringify({ orgId: acme }), headers }]);
    const letter = (await letterOf(mark))!;
    expect(letter.source).toBeNull();
    expect(await expectProblem(settle(ada, letter, 'replay'), 409, 'invalid-transition')).toMatchObject({ from: 'waiting', to: 'replayed', allowed: ['discarded'] });
  });

  it.each<[string, number, number]>([
    ['a moment ago waits for whoever does it', 1_000, 409],
    ['by a gateway that died can be replayed again, at another one', 61_000, 200],
  ])('and whose replay was begun %s', async (_, ageMs, status) => {
    const letter = await buried();
    const [topic, partition, offset] = letter.id.split(':');
    await desk.refresh();
    const record = await desk.find({ topic: topic!, partition: Number(partition), offset: Number(offset) });
    const claim = { id: randomUUID(), after: null, letter: letter.id.replaceAll(':', '/'), writtenAt: record!.timestamp, state: 'replaying' as const, at: new Date(Date.now() - ageMs).toISOString(), by: `member ada of ${acme}` };
    await desk.ledger.write([claim]);
    expect(await letterOf(letter.detail)).toMatchObject({ state: 'replaying', decision: { by: 'ada' } });
    expect((await settle(elsewhere, letter, 'replay')).status).toBe(status);
    expect(await wentBack(letter)).toHaveLength(status === 200 ? 1 : 0);
    expect(await letterOf(letter.detail)).toMatchObject({ state: status === 200 ? 'replayed' : 'replaying' });
  });

  it('by an operator is shown without their name', async () => {
    const letter = await buried();
    await desk.refresh();
    const [topic, partition, offset] = letter.id.split(':');
    await decide(desk, [{ topic: topic!, partition: Number(partition), offset: Number(offset) }], { state: 'discarded', again: false, by: 'root@db-7', reason: 'x' });
    expect(await letterOf(letter.detail)).toMatchObject({ state: 'discarded', decision: { by: null, reason: 'x' } });
  });
});

describe('where Kafka is away', () => {
  it('dead letters cannot be read, and the next question tries again', async () => {
    const gateway = await openGateway({ letters: new DeadLetters(['127.0.0.1:1'], { everIn: async () => new Set<string>() }) });
    const client = new Client(gateway.url, await gateway.token());
    await expectProblem(client.call(path), 503, 'dependency-unavailable');
    await expectProblem(client.call(path), 503, 'dependency-unavailable');
    await gateway.stop();
  });
});
