import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deadLetterProblem, resultType, type CommandResult, type TicketEvent } from '#contracts';
import { toHeaders, type IncomingRecord } from '#messaging';
import { ada, grace } from '../../../libs/contracts/testing/builders.js';
import { Running } from '../testing/running.js';
import { recordOf, Story } from '../testing/stories.js';

let one: Running;
let other: Running;
beforeAll(async () => {
  one = await Running.start();
  other = await Running.start(one.database);
});
afterAll(async () => {
  await other.stop({ keep: true });
  await one.stop();
});

const lively = (title = 'Printer on fire') =>
  new Story()
    .create({ title, description: 'It burns', conversation: { messages: [{ id: 'm1', role: 'user', content: 'Help' }] } })
    .comment('try water')
    .comment('he sounds drunk', 'note')
    .move('pending', 'looking')
    .happens('ticket.update-details.v1', { title: 'Fire', tags: ['hot'] })
    .say('hurry')
    .happens('ticket.assign.v1', { to: { type: 'member', id: 'grace', name: 'Grace' } });

const documentsOf = async ({ orgId, id }: Story, from = one) => ({
  view: await from.db.collection<{ _id: string }>('tickets').findOne({ _id: `${orgId}/${id}` }),
  rows: await from.db.collection<{ _id: string; version: number }>('timeline').find({ _id: { $gt: `${orgId}/${id}/`, $lt: `${orgId}/${id}:` } }).sort({ _id: 1 }).toArray(),
});

/** What events of a ticket make when they come once, in order, to a store of their own ticket: the same story told by itself. */
const expected = async (story: Story) => {
  const alone = await Running.start();
  try {
    await alone.project(...story.events);
    return await documentsOf(story, alone);
  } finally {
    await alone.stop();
  }
};

const inChunks = <T>(all: readonly T[], sizes: readonly number[]): T[][] => {
  const chunks: T[][] = [];
  for (let at = 0, i = 0; at < all.length; i++) chunks.push(all.slice(at, (at += sizes[i % sizes.length]!)));
  return chunks;
};

describe('the projector', () => {
  it('stores a view and a row per event', async () => {
    const story = lively();
    expect(await one.project(...story.events)).toEqual([]);
    const { view, rows } = await documentsOf(story);
    expect(view).toMatchObject({ version: 7, status: 'pending', number: 1, deleted: false });
    expect(rows.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const { body } = await one.get(ada, `/tickets/${story.id}`);
    expect(body).toEqual({ ...story.ticket, deadlines: [], allowedTransitions: ['open', 'resolved'] });
  });

  it('makes the same of events that come in pieces, twice, or again from the start', async () => {
    const story = lively();
    const whole = await expected(story);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }), fc.boolean(), async (sizes, isRepeated) => {
        await one.db.collection('tickets').deleteMany({ orgId: story.orgId, number: 1 });
        for (const chunk of inChunks(story.events, sizes)) {
          await one.project(...chunk);
          if (isRepeated) await one.project(...chunk, ...chunk);
        }
        await one.project(...story.events);
        expect(await documentsOf(story)).toEqual(whole);
      }),
      { numRuns: 8 },
    );
  });

  it('takes no older version for a newer one, and fills the timeline all the same', async () => {
    const story = lively();
    await one.project(...story.events.slice(4));
    await one.project(...story.events.slice(0, 2));
    const { view, rows } = await documentsOf(story);
    expect(view).toMatchObject({ version: 7 });
    expect(rows.map(({ version }) => version)).toEqual([1, 2, 5, 6, 7]);
  });

  it('goes on over a gap', async () => {
    const story = lively();
    await one.project(story.events[0]!);
    await one.project(story.events[3]!);
    expect((await one.get(ada, `/tickets/${story.id}`)).body).toMatchObject({ version: 4, status: 'pending' });
  });

  it('and another one at the same time, with the same events, come to the same', async () => {
    const stories = Array.from({ length: 12 }, (_, i) => lively(`Fire ${i}`));
    const events = stories[0]!.events.flatMap((_, i) => stories.map((story) => story.events[i]!));
    const feed = async (instance: Running, sizes: number[]) => {
      for (const chunk of inChunks(events, sizes)) await untilDone(() => instance.project(...chunk));
    };
    await Promise.all([feed(one, [5, 17, 1]), feed(other, [11, 2]), feed(one, [84])]);
    for (const story of [stories[0]!, stories[11]!]) expect(await documentsOf(story)).toEqual(await expected(story));
    for (const story of stories) expect((await documentsOf(story)).view).toMatchObject({ version: 7, });
  });

  it('sets aside what is broken and takes the rest of the round', async () => {
    const story = lively();
    const [first, ...others] = story.events.map((event) => recordOf(event));
    const broken: [IncomingRecord, string][] = [
      [{ ...first!, value: null }, 'not-json'],
      [{ ...first!, value: Buffer.from('{"a":') }, 'not-json'],
      [{ ...first!, value: Buffer.from('{}') }, 'schema-invalid'],
      [{ ...first!, key: Buffer.from('other') }, 'key-mismatch'],
      [{ ...first!, value: Buffer.alloc(1_000_001, 'x') }, 'oversize'],
    ];
    const unknown = { ...first!, headers: { ...first!.headers, ce_type: 'ticket.sung-to.v1' } };
    const dead = await one.projectRecords(broken[0]![0], first!, broken[1]![0], unknown, ...others, ...broken.slice(2).map(([record]) => record));
    expect(dead.map(({ record, reason }) => [record, reason])).toEqual(broken);
    expect((await documentsOf(story)).view).toMatchObject({ version: 7 });
  });

  it('keeps what callers named, whatever it means to a store', async () => {
    const hostile = JSON.parse('{"$where":"1","a.b":2,"_bsontype":"ObjectId","$ref":"x","$id":"y","10":1,"2":true}') as Record<string, string>;
    const story = new Story().create({ customFields: hostile }).happens('ticket.record-tool-call.v1', { tool: 't', arguments: { deep: { ...hostile, $set: [null, { $inc: 1 }] } }, status: 'ok' });
    expect(await one.project(...story.events)).toEqual([]);
    expect((await one.get(ada, `/tickets/${story.id}`)).body.customFields).toEqual(hostile);
    expect((await one.get(ada, `/tickets/${story.id}/timeline`)).body.items[1].data.arguments.deep).toEqual({ ...hostile, $set: [null, { $inc: 1 }] });
  });
});

/** Two bulks that meet may be told to try again; messaging does that for a round. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return void (await work());
    } catch (error) {
      if ((error as { passes?: boolean }).passes !== true || tries > 20) throw error;
    }
  }
}

describe('the answers of commands', () => {
  const [event] = new Story().create().events as [TicketEvent];
  const commandId = '0196f0a0-0000-7000-8000-0000000000aa';
  const answer: CommandResult = { commandId, orgId: 'acme', ticketId: event.ticketId, actor: ada.actor, payloadHash: 'h', outcome: 'applied', version: 3 };
  const record = (changes: Partial<CommandResult>): IncomingRecord => {
    const result = { ...answer, ...changes };
    const headers = toHeaders({ id: result.commandId, type: resultType, source: '/', subject: event.ticketId, time: event.at, orgId: 'acme' });
    return recordOf(event, { key: Buffer.from(result.commandId), value: Buffer.from(JSON.stringify(result)), headers });
  };
  const failed = { outcome: 'rejected' as const, version: undefined, problem: deadLetterProblem('handler-failed', 'boom') };
  const statusOf = async (id = commandId, by = ada) => (await one.get(by, `/commands/${id}`)).body as unknown;

  it('are told to who sent them, and to nobody else', async () => {
    await one.remember(record({}));
    expect(await statusOf()).toEqual({ id: commandId, state: 'applied', ticketId: event.ticketId, version: 3 });
    const unknown = await one.get(ada, '/commands/0196f0a0-0000-7000-8000-0000000000ff', { 'x-request-id': 'r' });
    const others = [await one.get(grace, `/commands/${commandId}`), await one.get({ ...ada, orgId: 'globex' }, `/commands/${commandId}`), await one.get({ ...ada, actor: { ...ada.actor, type: 'agent' } }, `/commands/${commandId}`)];
    const bare = ({ instance: _instance, requestId: _requestId, ...rest }: Record<string, unknown>) => rest;
    for (const { status, body } of [unknown, ...others]) expect([status, bare(body as Record<string, unknown>)]).toEqual([404, bare(unknown.body as Record<string, unknown>)]);
  });

  it('stay the first, within a round and after it', async () => {
    const id = '0196f0a0-0000-7000-8000-0000000000ab';
    await one.remember(record({ commandId: id, outcome: 'unchanged' }), record({ commandId: id, outcome: 'applied', duplicate: true }));
    await other.remember(record({ commandId: id, outcome: 'applied' }), record({ commandId: id, ...failed }));
    expect(await statusOf(id)).toMatchObject({ state: 'unchanged' });
  });

  it('give way only where the command was set aside', async () => {
    const id = '0196f0a0-0000-7000-8000-0000000000ac';
    await one.remember(record({ commandId: id, ...failed }));
    expect(await statusOf(id)).toMatchObject({ state: 'failed', problem: { type: '/problems/handler-failed' } });
    await one.remember(record({ commandId: id, ...failed }), record({ commandId: id }));
    expect(await statusOf(id)).toEqual({ id, state: 'applied', ticketId: event.ticketId, version: 3 });
  });

  it('expire a week after they were told', async () => {
    const indexes = await one.db.collection('command_results').indexes();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { at: 1 }, expireAfterSeconds: 604_800 }));
  });
});
