import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sees } from '#domain';
import { Priority, Status, type Principal } from '#contracts';
import { agent, ada, grace } from '../../../libs/contracts/testing/builders.js';
import { Story } from '../testing/stories.js';
import { conditionsOf, type Condition, type ListFilters } from './list-conditions.js';
import { currentShape } from './shape.js';
import { keysOf, sightKeys } from './ticket-keys.js';
import { fold, priorityRank, rowOf, viewOf, type TicketView } from './ticket-view.projection.js';

const story = () => new Story({ number: 7 }).create({ title: 'Printer', description: 'It  burns\nbadly' });
const newestOf = (told: Story) => told.events.at(-1)!;

describe('folding events into a view', () => {
  it('gives the newest ticket and its place in lists', () => {
    const told = story().comment('Try water').move('pending');
    const { newest, missing } = fold(0, told.events)!;
    expect(viewOf(newest)).toMatchObject({ _id: `acme/${told.id}`, version: 3, number: 7, status: 'pending', priority: 1, deleted: false, snippet: 'It burns badly' });
    expect({ ...(JSON.parse(viewOf(newest).ticket) as object), description: viewOf(newest).description }).toEqual(told.ticket);
    expect(missing).toBe(0);
  });

  it('gives the same whether events come all at once, twice or again from the start', () => {
    const told = story().comment('one').move('pending', 'four').happens('ticket.update-details.v1', { title: 'Fire' });
    const whole = fold(0, told.events)!;
    expect(fold(0, told.events.flatMap((event) => [event, event]))).toEqual(whole);
    expect(fold(0, [...told.events, ...told.events])).toEqual(whole);
  });

  it('leaves out what is known already', () => {
    const told = story().comment('one').comment('two');
    expect(fold(3, told.events)).toBeUndefined();
    expect(fold(2, told.events)).toMatchObject({ newest: { version: 3 }, missing: 0 });
  });

  it('goes over a gap and counts what is missing', () => {
    const told = story().comment('one').comment('two').comment('three').move('pending');
    expect(fold(1, [told.events[2]!, told.events[4]!])).toMatchObject({ newest: { version: 5 }, missing: 2 });
    expect(fold(0, told.events.slice(3))).toMatchObject({ missing: 3 });
  });

  it('knows a deleted ticket by its newest event', () => {
    const told = story().happens('ticket.delete.v1', {});
    expect(viewOf(newestOf(told)).deleted).toBe(true);
    told.happens('ticket.restore.v1', {}).comment('back');
    expect(viewOf(newestOf(told)).deleted).toBe(false);
  });

  it('keeps any name of a custom field', () => {
    const customFields = JSON.parse('{"$where":"1","a.b":2,"_bsontype":"ObjectId","$ref":"x","$id":"y","10":1,"2":2}') as Record<string, string>;
    const told = story().happens('ticket.update-details.v1', { customFields });
    expect((JSON.parse(viewOf(newestOf(told)).ticket) as { customFields: unknown }).customFields).toEqual(customFields);
  });
});

describe('a timeline row', () => {
  it('is found in version order', () => {
    const told = story();
    const ids = [1, 9, 10, 123_456_789].map((version) => rowOf({ ...told.events[0]!, version })._id);
    expect([...ids].sort()).toEqual(ids);
  });

  it('says what it carries', () => {
    const told = story().comment('a').comment('b', 'note').comment('c', 'reply').move('pending', 'd').move('open').say('e', 'f');
    const kinds = told.events.map((event) => rowOf(event)).map(({ type, kind, messages }) => [type, kind ?? messages]);
    expect(kinds).toEqual([
      ['created', undefined], ['comment-added', 'comment'], ['comment-added', 'note'], ['comment-added', 'reply'],
      ['status-changed', 'comment'], ['status-changed', undefined], ['conversation-appended', 2],
    ]);
  });

  it('holds the event as timelines tell it', () => {
    const [event] = story().events;
    const { version, at, actor, data } = event!;
    expect(JSON.parse(rowOf(event!).item)).toEqual({ version, type: 'created', at, actor, data: JSON.parse(JSON.stringify(data)) as unknown });
  });
});

describe('keys', () => {
  const assistants = ['billing-bot', 'tech-bot', 'none', 'me', 'member:grace'];
  const who = fc.record({ type: fc.constantFrom('member' as const, 'agent' as const), id: fc.constantFrom('grace', 'ada', 'billing-bot', 'none', 'agent:x') });
  const named = who.map((one) => ({ ...one, name: 'N' }));
  const principal: fc.Arbitrary<Principal> = fc.record({
    orgId: fc.constant('acme'),
    actor: named,
    access: fc.record({ role: fc.constantFrom('admin' as const, 'member' as const, undefined), assistantIds: fc.subarray(assistants) }),
  });

  it('decide sight exactly as the policy does', () =>
    fc.assert(
      fc.property(principal, fc.option(fc.constantFrom(...assistants)), fc.option(named), named, (asker, assistantId, assignee, createdBy) => {
        const ticket = { ...story().ticket, assistantId, assignee, createdBy };
        const asked = sightKeys(asker);
        const isSeen = asked === null || asked.some((key) => keysOf(ticket).includes(key));
        expect(isSeen).toBe(sees(asker, ticket));
      }),
      { numRuns: 500 },
    ));

  it('of whose tickets are in which status say what both say apart', () => {
    const some = fc.option(fc.subarray(['me', 'none', 'grace', 'agent:x'], { minLength: 1 }), { nil: undefined });
    const bots = fc.option(fc.subarray(assistants, { minLength: 1 }), { nil: undefined });
    const statuses = fc.option(fc.subarray([...Status.options], { minLength: 1 }), { nil: undefined });
    const priorities = fc.option(fc.subarray([...Priority.options], { minLength: 1 }), { nil: undefined });
    const meets = (view: Pick<TicketView, 'keys' | 'priority'>, conditions: readonly Condition[]) =>
      conditions.every(({ filter }) => {
        const [[field, asked]] = Object.entries(filter as Record<'keys' | 'priority', string | { $in: string[] }>) as [['keys' | 'priority', string | { $in: string[] }]];
        return (typeof asked === 'object' ? asked.$in : [asked]).some((one) => [view[field]].flat().includes(one));
      });
    const ticketLike = fc.record({ status: fc.constantFrom(...Status.options), priority: fc.constantFrom(...Priority.options), assistantId: fc.option(fc.constantFrom(...assistants)), assignee: fc.option(named), createdBy: named });
    fc.assert(
      fc.property(principal, fc.record({ status: statuses, assignee: some, assistantId: bots, priority: priorities }), ticketLike, (asker, filters, like) => {
        const view = { keys: keysOf({ ...story().ticket, ...like }), priority: priorityRank(like.priority) };
        expect(meets(view, conditionsOf(asker, filters, currentShape))).toBe(meets(view, conditionsOf(asker, filters)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of what somebody works on lead to it as one, unless tickets have none or they would be very many', () => {
    const filtersOf = (by: Principal, filters: ListFilters) => conditionsOf(by, filters, currentShape).map(({ filter }) => filter);
    expect(filtersOf(grace, { status: ['open'] })).toEqual([{ keys: { $in: ['open assistant:billing-bot', 'open assignee:member:grace', 'open creator:member:grace'] } }]);
    expect(filtersOf(ada, { status: ['open'], assistantId: ['billing-bot'] })).toEqual([{ keys: 'open assistant:billing-bot' }]);
    expect(filtersOf(ada, { status: ['open'] })).toEqual([{ keys: 'status:open' }]);
    expect(filtersOf(ada, { status: ['open', 'pending'], priority: ['urgent'] })).toEqual([{ keys: { $in: ['open priority:urgent', 'pending priority:urgent'] } }, { priority: 3 }]);
    expect(filtersOf(grace, { status: ['open'], assignee: ['me'], priority: ['urgent'] })).toContainEqual({ keys: 'open assignee:member:grace' });
    expect(filtersOf(ada, { status: ['open', 'closed'], assignee: ['me'] })).toEqual([{ keys: 'assignee:member:ada' }, { keys: { $in: ['status:open', 'status:closed'] } }]);
    expect(filtersOf(ada, { status: ['open', 'pending', 'resolved'], assistantId: Array.from({ length: 11 }, (_, i) => `bot-${i}`) })).toHaveLength(2);
  });

  it('give administrators everything and nobody else', () => {
    expect(sightKeys(ada)).toBeNull();
    expect(sightKeys(grace)).toEqual(['assistant:billing-bot', 'assignee:member:grace', 'creator:member:grace']);
    expect(sightKeys(agent('billing-bot'))).toEqual(['assistant:billing-bot', 'assignee:agent:billing-bot']);
  });
});
