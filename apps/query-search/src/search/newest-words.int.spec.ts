import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { TicketList } from '#contracts';
import { ada, agent, grace } from '../../../../libs/contracts/testing/builders.js';
import { Running } from '../../testing/running.js';
import { newYear, Story } from '../../testing/stories.js';
import { NewestWords } from './newest-words.store.js';
import { mostBeginnings } from './vocabulary.store.js';

const letters = 'abcdefghij';
const count = 60;
/** More words begin with `nor` than are looked up one by one; one of them is frequent, in a third of the tickets; some stand in notes only. */
const stories = Array.from({ length: count }, (_, i) => {
  const word = `nor${letters[Math.floor(i / 10)]}${letters[i % 10]}`;
  const story = new Story({ number: i + 1, at: newYear + Math.floor(i / 3) * 60_000 }).create({ title: i % 3 ? 'Printer' : 'Normal printer', description: i % 4 ? word : '', assistantId: i % 2 ? 'billing-bot' : 'tech-bot' });
  if (i % 4 === 0) story.comment(`secret ${word}`, 'note');
  return i % 5 ? story : story.move('pending');
});

let services: Running[];
beforeAll(async () => {
  const first = await Running.start();
  services = [first, await Running.start(first.database, { few: 0, narrow: 0, steps: [2, 5] }), await Running.start(first.database, { few: 0, narrow: 1_000, steps: [2, 5] })];
  await first.project(...stories.flatMap(({ events }) => events), ...new Story({ orgId: 'globex' }).create({ title: 'North' }).events);
});
afterAll(async () => {
  for (const service of services.slice(1)) await service.stop({ keep: true });
  await services[0]!.stop();
});

const entriesOf = ({ db }: Running) => db.collection<never>('search');

describe('a beginning of more words than are looked up one by one', () => {
  it('is known to be common by the newest tickets, with what is frequent of it, and only in its organisation', async () => {
    expect(count).toBeGreaterThan(mostBeginnings);
    const newest = new NewestWords(entriesOf(services[0]!));
    expect(await newest.common('acme', 'nor')).toEqual({ frequent: 'normal', isMost: true });
    expect(await newest.common('acme', 'nora')).toEqual({ isMost: false });
    expect(await newest.common('acme', 'norab')).toBeUndefined();
    expect(await newest.common('globex', 'nor')).toBeUndefined();
  });

  it('is looked for again when the store did not answer', async () => {
    const entries = entriesOf(services[0]!);
    const find = jest.fn(entries.find.bind(entries) as never) as unknown as jest.Mock<() => unknown>;
    const newest = new NewestWords({ find } as never);
    find.mockImplementationOnce(() => {
      throw new Error('away');
    });
    await expect(newest.common('acme', 'nor')).rejects.toThrow('away');
    expect(await newest.common('acme', 'nor')).toMatchObject({ frequent: 'normal' });
    await newest.common('acme', 'pri');
    expect(find).toHaveBeenCalledTimes(2);
  });

  const pending = ({ ticket }: Story) => ticket.status === 'pending';
  it.each([
    ['everything', ada, '', () => true],
    ['what is pending', ada, '&status=pending', pending],
    ['what has another word, too', ada, '', ({ ticket }: Story) => ticket.title === 'Normal printer'],
    ['by the time of the update', ada, '&sort=-updatedAt', () => true],
    ['what somebody sees', grace, '', ({ ticket }: Story) => ticket.assistantId === 'billing-bot'],
    ['what is not in notes', agent('tech-bot', 'tickets:read'), '', ({ ticket }: Story) => ticket.assistantId === 'tech-bot' && /nor/i.test(ticket.title + ticket.description)],
  ] as const)('finds and counts %s', async (what, who, more, isMeant) => {
    const q = what.includes('another') ? 'normal nor' : 'nor';
    const ids = stories.filter(isMeant).map(({ id }) => id).sort();
    expect(ids.length).toBeGreaterThan(5);
    for (const service of services) {
      const told: string[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const { body } = (await service.get(who, `/tickets?q=${encodeURIComponent(q)}${more}&pageSize=7${cursor && `&cursor=${cursor}`}`)) as { body: TicketList };
        expect(body).toMatchObject({ total: ids.length, totalIsExact: true });
        told.push(...body.items.map(({ id }) => id));
        cursor = body.nextCursor;
      }
      expect(told.sort()).toEqual(ids);
      const { body } = await service.get(who, `/tickets/counts?q=${encodeURIComponent(q)}`);
      expect(more === '&status=pending' ? body.pending : body.total).toBe(ids.length);
    }
  });
});
