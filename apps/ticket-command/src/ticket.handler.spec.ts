import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TicketCommand } from '#contracts';
import type { OutgoingRecord } from '#messaging';
import { agent, commandOf, grace, ticketId } from '../../../libs/contracts/testing/builders.js';
import { comment, create, move, uuid } from '../testing/commands.js';
import { instanceIn, recordOf, recordsOf, World, type InstanceOptions } from '../testing/instance.js';

let world: World;
beforeEach(() => void (world = new World()));

const bytes = (records: readonly OutgoingRecord[]) => records.map(({ topic, key, value, headers }) => JSON.stringify({ topic, key, value: String(value), headers }));

describe('a round', () => {
  it('decides several commands of a ticket one upon the other', async () => {
    const instance = instanceIn(world);
    await instance.handle(recordsOf([create('c1'), comment('c2'), move('c3', 'resolved'), move('c4', 'pending')]));
    expect(world.events.map(({ version, type, commandId }) => [version, type, commandId])).toEqual([
      [1, 'ticket.created.v1', 'c1'],
      [2, 'ticket.comment-added.v1', 'c2'],
      [3, 'ticket.status-changed.v1', 'c4'],
    ]);
    expect(world.outcomes()).toEqual(['c1 applied 1', 'c2 applied 2', 'c3 rejected -', 'c4 applied 3']);
  });

  it('is told with these topics, keys and headers', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const at = '2026-01-01T12:00:00.000Z';
    await instanceIn(world, { clock: () => Date.parse(at) }).handle([recordOf(create('c1'), { headers: { traceparent } })]);
    const shared = { ce_specversion: '1.0', ce_source: '/organisations/acme/tickets', ce_subject: ticketId, ce_time: at, ce_orgid: 'acme', 'content-type': 'application/json', traceparent };
    expect(world.published.map(({ topic, key, headers }) => ({ topic, key, headers }))).toEqual([
      { topic: 'ticket.events.v1', key: ticketId, headers: { ...shared, ce_id: `${ticketId}:1`, ce_type: 'ticket.created.v1' } },
      { topic: 'ticket.command-results.v1', key: 'c1', headers: { ...shared, ce_id: 'c1', ce_type: 'ticket.command-result.v1' } },
    ]);
  });

  it('publishes all its events before its first answer', async () => {
    await instanceIn(world).handle([...recordsOf([create('c1'), comment('c2')]), ...recordsOf([create('d1', uuid(2))], { partition: 1 })]);
    expect(world.published.map(({ topic }) => topic)).toEqual([...Array<string>(3).fill('ticket.events.v1'), ...Array<string>(3).fill('ticket.command-results.v1')]);
  });

  it('needs no read for creates, two reads for what it does not know, one look-up for what it knows', async () => {
    const instance = instanceIn(world);
    await instance.handle(recordsOf([create('c1'), create('d1', uuid(2))]));
    expect(instance.asked()).toEqual(['append']);
    await instance.handle(recordsOf([comment('c2'), comment('d2', uuid(2))], { from: 2 }));
    expect(instance.asked()).toEqual(['find', 'append']);
    const successor = instanceIn(world);
    await successor.handle(recordsOf([comment('c3'), comment('d3', uuid(2))], { from: 4 }));
    expect(successor.asked()).toEqual(['find', 'newest', 'append']);
    expect([world.versions(), world.versions(uuid(2))]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('puts no two commands of a ticket into one insert', async () => {
    const inserts: string[][] = [];
    const at: InstanceOptions['at'] = (moment, commits) => void (moment === 'before append' && inserts.push(commits.map((commit) => (commit as { commandId: string }).commandId)));
    await instanceIn(world, { at }).handle(recordsOf([create('c1'), create('d1', uuid(2)), comment('c2'), comment('c3'), comment('d2', uuid(2))]));
    expect(inserts).toEqual([['c1', 'd1'], ['c2', 'd2'], ['c3']]);
  });

  it('sets bad records aside and handles the others', async () => {
    const bad = recordOf(create('x'), { offset: '1', value: Buffer.from('{') });
    const dead = await instanceIn(world).handle([recordOf(create('c1'), { offset: '0' }), bad, recordOf(comment('c2'), { offset: '2' })]);
    expect(dead).toMatchObject([{ record: bad, reason: 'not-json' }]);
    expect(world.outcomes()).toEqual(['c1 applied 1', 'c2 applied 2']);
  });

  it('holds some megabytes of what it makes of large tickets, and tells that before it goes on', async () => {
    const description = 'x'.repeat(50_000);
    const customFields = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, 'y'.repeat(1_000)]));
    const large = (id: string, ticket: string) => commandOf('ticket.create.v1', { title: 'Large', description, customFields }, { commandId: id, ticketId: ticket }) as TicketCommand;
    await instanceIn(world).handle(recordsOf([large('c', uuid(1)), large('d', uuid(2))]));
    const held: number[] = [0];
    const at: InstanceOptions['at'] = (moment, what) => {
      if (moment === 'after append') held[held.length - 1]! += (what as readonly object[] as readonly { value: Buffer }[]).reduce((sum, { value }) => sum + value.length, 0);
      else if (moment === 'before send' && held.at(-1)! > 0) held.push(0);
    };
    const many = Array.from({ length: 400 }, (_, n) => comment(`n${n}`, uuid(1 + (n % 2))));
    await instanceIn(world, { at }).handle(recordsOf(many, { from: 2 }));
    expect(Math.max(...held)).toBeLessThan(10 * 1024 * 1024);
    expect(held.length).toBeGreaterThan(3);
    expect([new Set(world.versions(uuid(1))).size, world.versions(uuid(2))]).toEqual([201, Array.from({ length: 201 }, (_, n) => n + 1)]);
    expect(world.outcomes()).toHaveLength(402);
  });

  it('decides on tickets that do not fit into the memory for known ones', async () => {
    const tickets = Array.from({ length: 20 }, (_, n) => uuid(n + 100));
    await instanceIn(world).handle(recordsOf(tickets.map((ticket, n) => create(`c${n}`, ticket, 'x'.repeat(200)))));
    await instanceIn(world, { memory: 10_000 }).handle(recordsOf(tickets.map((ticket, n) => comment(`d${n}`, ticket)), { from: 20 }));
    expect(world.results.slice(20).map(({ outcome }) => outcome)).toEqual(Array(20).fill('applied'));
  });

  it('a refused create says nothing of where its ticket stands', async () => {
    await instanceIn(world).handle(recordsOf([create('c1')]));
    const instance = instanceIn(world);
    const forbidden = commandOf('ticket.create.v1', { title: 'T', assistantId: 'tech-bot' }, { commandId: 'x1', by: grace });
    await instance.handle(recordsOf([forbidden], { from: 1 }));
    await instance.handle(recordsOf([comment('c2')], { from: 2 }));
    expect(world.outcomes()).toEqual(['c1 applied 1', 'x1 rejected -', 'c2 applied 2']);
  });

  it('a create that expects a version is told the one there is', async () => {
    await instanceIn(world).handle(recordsOf([create('c1')]));
    await instanceIn(world).handle(recordsOf([commandOf('ticket.create.v1', { title: 'T' }, { commandId: 'x1', expectedVersion: 7 })], { from: 1 }));
    expect(world.resultsOf('x1')[0]?.problem).toMatchObject({ type: '/problems/version-conflict', current: 1 });
  });

  it('a second create of a ticket is refused, though nothing was read', async () => {
    await instanceIn(world).handle(recordsOf([create('c1')]));
    await instanceIn(world).handle(recordsOf([create('c9')], { from: 1 }));
    expect(world.resultsOf('c9')[0]?.problem).toMatchObject({ type: '/problems/already-exists' });
  });
});

describe('a command that comes again', () => {
  const first = (commandId: string) => world.resultsOf(commandId)[0];

  it('at another offset gets its first answer, marked, and its event is published again', async () => {
    const instance = instanceIn(world);
    await instance.handle(recordsOf([create('c1'), comment('c2'), move('c3', 'closed' as never)]));
    const events = bytes(world.on('ticket.events.v1'));
    const later = { ...comment('c2'), payloadHash: 'another', data: { kind: 'note', body: 'Other.' } } as TicketCommand;
    await instance.handle(recordsOf([later, create('c1'), move('c3', 'closed' as never)], { from: 3 }));
    for (const commandId of ['c1', 'c2', 'c3']) expect(world.resultsOf(commandId)).toEqual([first(commandId), { ...first(commandId), duplicate: true }]);
    expect(bytes(world.on('ticket.events.v1'))).toEqual([...events, ...events]);
  });

  it('within a round is decided once', async () => {
    await instanceIn(world).handle(recordsOf([create('c1'), create('c1'), comment('c2'), comment('c2'), comment('c2')]));
    expect(world.versions()).toEqual([1, 2]);
    expect(world.outcomes()).toEqual(['c1 applied 1', 'c1 applied 1 again', 'c2 applied 2', 'c2 applied 2 again', 'c2 applied 2 again']);
  });

  it('at the same offset is the same record read again: byte for byte the same events and answers', async () => {
    const round = recordsOf([create('c1'), comment('c2'), move('c3', 'resolved'), comment('c4')]);
    await instanceIn(world).handle(round);
    const before = bytes(world.published);
    await instanceIn(world).handle(round);
    expect(bytes(world.published)).toEqual([...before, ...before]);
  });

  it('takes no number when its ticket is remembered', async () => {
    const instance = instanceIn(world);
    await instance.handle(recordsOf([create('c1'), create('c1')]));
    await instance.handle(recordsOf([create('c1'), create('d1', uuid(2))], { from: 2 }));
    expect(new Set(world.events.map(({ ticketId: id, ticket }) => `${id} ${ticket.number}`))).toEqual(new Set([`${ticketId} 1001`, `${uuid(2)} 1002`]));
  });

  it('is another command on another ticket or in another organisation', async () => {
    const other = { ...create('c1'), orgId: 'globex' };
    await instanceIn(world).handle(recordsOf([create('c1'), create('c1', uuid(2)), other]));
    expect(world.outcomes()).toEqual(['c1 applied 1', 'c1 applied 1', 'c1 applied 1']);
  });

  it('is not decided again although its rights have changed meanwhile', async () => {
    await instanceIn(world).handle(recordsOf([create('c1'), comment('c2')]));
    const powerless = { ...comment('c2'), actor: agent('tech-bot').actor, access: agent('tech-bot').access } as TicketCommand;
    await instanceIn(world).handle(recordsOf([powerless, { ...create('c1'), access: { assistantIds: [] } }], { from: 2 }));
    expect(world.outcomes().slice(2)).toEqual(['c2 applied 2 again', 'c1 applied 1 again']);
  });

  it('events of a round are in version order, whatever the order of its commands', async () => {
    await instanceIn(world).handle(recordsOf([create('c1'), comment('c2'), comment('c3')]));
    world.published.length = 0;
    await instanceIn(world).handle(recordsOf([comment('c3'), comment('c4'), comment('c2'), create('c1')], { from: 3 }));
    expect(world.versions()).toEqual([1, 2, 3, 4]);
    expect(world.outcomes()).toEqual(['c3 applied 3 again', 'c4 applied 4', 'c2 applied 2 again', 'c1 applied 1 again']);
  });
});

describe('time', () => {
  it('of a ticket never runs back, whoever’s clock is slow', async () => {
    const noon = Date.parse('2026-01-01T12:00:00.000Z');
    await instanceIn(world, { clock: () => noon }).handle(recordsOf([create('c1')]));
    await instanceIn(world, { clock: () => noon - 60_000 }).handle(recordsOf([comment('c2')], { from: 1 }));
    await instanceIn(world, { clock: () => noon + 1 }).handle(recordsOf([comment('c3')], { from: 2 }));
    expect(world.events.map(({ at }) => at)).toEqual(['2026-01-01T12:00:00.000Z', '2026-01-01T12:00:00.000Z', '2026-01-01T12:00:00.001Z']);
  });
});
