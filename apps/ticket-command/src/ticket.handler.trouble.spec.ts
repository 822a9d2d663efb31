import { beforeEach, describe, expect, it } from '@jest/globals';
import type { OutgoingRecord } from '#messaging';
import { comment, create, move, uuid } from '../testing/commands.js';
import { instanceIn, recordOf, recordsOf, World, type InstanceOptions } from '../testing/instance.js';

let world: World;
beforeEach(() => void (world = new World()));

const bytes = (records: readonly OutgoingRecord[]) => records.map(({ topic, key, value, headers }) => JSON.stringify({ topic, key, value: String(value), headers }));
const down = () => Object.assign(new Error('down'), { passes: true });
/** Acts the first time that an instance comes to a moment. */
const once = (moment: string, act: () => unknown): NonNullable<InstanceOptions['at']> => {
  let isDue = true;
  return async (now) => {
    if (now !== moment || !isDue) return;
    isDue = false;
    await act();
  };
};

describe('a lost race', () => {
  it('for the command: the winner’s answer and event are told', async () => {
    const round = recordsOf([create('c1'), comment('c2')]);
    const successor = instanceIn(world);
    const zombie = instanceIn(world, { at: once('before append', () => successor.handle(round)), clock: () => Date.now() + 60_000 });
    await zombie.handle(round);
    const told = bytes(world.published);
    expect(told.slice(4)).toEqual(told.slice(0, 4));
    expect(new Set(world.events.map(({ ticket }) => ticket.number)).size).toBe(1);
  });

  it('for the version: the command is decided again on what the winner left', async () => {
    await instanceIn(world).handle(recordsOf([create('c1')]));
    const other = instanceIn(world);
    const instance = instanceIn(world, { at: once('before append', () => other.handle(recordsOf([move('x1', 'pending')], { from: 1 }))) });
    await instance.handle(recordsOf([move('c2', 'pending'), move('c3', 'resolved')], { from: 5 }));
    expect(world.outcomes()).toEqual(['c1 applied 1', 'x1 applied 2', 'c2 rejected -', 'c3 applied 3']);
    expect(world.resultsOf('c2')[0]?.problem).toMatchObject({ type: '/problems/invalid-transition', from: 'pending' });
  });

  it('for a part of a round leaves the other tickets alone', async () => {
    const other = instanceIn(world);
    const instance = instanceIn(world, { at: once('before append', () => other.handle([recordOf(create('d1', uuid(2)), { partition: 1, offset: '1' })])) });
    await instance.handle([recordOf(create('c1')), recordOf(create('d1', uuid(2)), { partition: 1, offset: '1' }), recordOf(comment('d2', uuid(2)), { partition: 1, offset: '2' })]);
    expect([world.versions(), world.versions(uuid(2))]).toEqual([[1], [1, 1, 2]]);
    expect(instance.asked()).toEqual(['find', 'newest', 'append', 'find', 'newest', 'append']);
  });

  it('is lost again and again without an end to patience', async () => {
    await instanceIn(world).handle(recordsOf([create('c1')]));
    let rivals = 0;
    const other = instanceIn(world);
    const at: InstanceOptions['at'] = async (moment) => {
      if (moment === 'before append' && rivals < 20) await other.handle(recordsOf([comment(`x${rivals}`)], { from: (rivals += 1) }));
    };
    await instanceIn(world, { at }).handle(recordsOf([comment('c2')], { from: 50 }));
    expect(world.outcomes().at(-1)).toBe('c2 applied 22');
  });

  it('a number that a lost create had is not given again', async () => {
    const round = recordsOf([create('c1')]);
    const successor = instanceIn(world);
    const zombie = instanceIn(world, { at: once('before append', () => successor.handle(round)) });
    await zombie.handle(round);
    await zombie.handle(recordsOf([create('d1', uuid(2)), create('e1', uuid(3))], { from: 1 }));
    const numbers = world.events.map(({ ticketId: id, ticket }) => `${id} ${ticket.number}`);
    expect(new Set(numbers).size).toBe(3);
    expect(new Set(world.events.map(({ ticket }) => ticket.number)).size).toBe(3);
  });
});

describe('an instance that does not know what another did meanwhile', () => {
  it('after a gap in the offsets loads the ticket anew', async () => {
    const [one, other] = [instanceIn(world), instanceIn(world)];
    await one.handle(recordsOf([create('c1')]));
    await other.handle(recordsOf([move('c2', 'pending')], { from: 1 }));
    await one.handle(recordsOf([move('c3', 'resolved')], { from: 2 }));
    expect(world.outcomes()).toEqual(['c1 applied 1', 'c2 applied 2', 'c3 applied 3']);
  });

  it('after a round that failed here and was handled there loads the ticket anew', async () => {
    let isDown = false;
    const one = instanceIn(world, {
      at: (moment) => {
        if (isDown && moment === 'before append') throw down();
      },
    });
    const other = instanceIn(world);
    await one.handle(recordsOf([create('c1')]));
    isDown = true;
    await expect(one.handle(recordsOf([move('c2', 'pending')], { from: 1 }))).rejects.toThrow('down');
    await other.handle(recordsOf([move('c2', 'pending')], { from: 1 }));
    isDown = false;
    await one.handle(recordsOf([move('c3', 'resolved')], { from: 2 }));
    expect(world.outcomes()).toEqual(['c1 applied 1', 'c2 applied 2', 'c3 applied 3']);
  });

  it('and was stopped decides as its successor did', async () => {
    const [zombie, successor] = [instanceIn(world), instanceIn(world)];
    await zombie.handle(recordsOf([create('c1')]));
    const rest = [move('c2', 'pending'), move('c3', 'resolved'), move('c4', 'pending'), comment('c5')];
    await successor.handle(recordsOf(rest, { from: 1 }));
    const told = world.outcomes().slice(1);
    await zombie.handle(recordsOf(rest, { from: 1 }));
    expect(world.outcomes().slice(1)).toEqual([...told, ...told]);
  });
});

describe('trouble', () => {
  it('of the broker in the middle of the events: the round comes again from its first event, byte for byte', async () => {
    const round = recordsOf([create('c1'), comment('c2'), comment('c3')]);
    const calm = instanceIn(world);
    let sent = 0;
    const at: InstanceOptions['at'] = (moment) => {
      if (moment === 'before send' && (sent += 1) === 3) throw down();
    };
    const instance = instanceIn(world, { at });
    await expect(instance.handle(round)).rejects.toThrow('down');
    const before = bytes(world.published);
    expect(before).toHaveLength(2);
    await instance.handle(round);
    const again = bytes(world.published).slice(2);
    expect(again.slice(0, 2)).toEqual(before);
    expect(world.versions()).toEqual([1, 2, 1, 2, 3]);
    await calm.handle(round);
    expect(bytes(world.published).slice(8)).toEqual(again);
  });

  it('of the broker: nothing of the answers is told before all events are', async () => {
    let sent = 0;
    const at: InstanceOptions['at'] = (moment) => {
      if (moment === 'before send' && (sent += 1) === 2) throw down();
    };
    await expect(instanceIn(world, { at }).handle(recordsOf([create('c1'), comment('c2')]))).rejects.toThrow('down');
    expect(world.results).toEqual([]);
  });

  it('of the store after it has stored: the answer is found, not decided again', async () => {
    const instance = instanceIn(world, { at: once('after append', () => Promise.reject(down())) });
    const round = recordsOf([create('c1')]);
    await expect(instance.handle(round)).rejects.toThrow('down');
    expect(world.published).toEqual([]);
    await instance.handle(round);
    expect(instance.asked().slice(1)).toEqual(['find', 'newest']);
    expect(world.outcomes()).toEqual(['c1 applied 1']);
  });

  it('of the store with one commit is thrown, and what was stored beside it is found again', async () => {
    const refuses = ({ commandId }: { commandId: string }) => (commandId === 'c1' ? new Error('too deep') : undefined);
    const instance = instanceIn(world, { refuses });
    const [bad, good] = recordsOf([create('c1'), create('d1', uuid(2))]);
    await expect(instance.handle([bad!, good!])).rejects.toThrow('too deep');
    await expect(instance.handle([bad!])).rejects.toThrow('too deep');
    await instance.handle([good!]);
    expect(world.outcomes()).toEqual(['d1 applied 1']);
  });

  it('no number is spent twice when a round comes again', async () => {
    const instance = instanceIn(world, { at: once('before append', () => Promise.reject(down())) });
    const round = recordsOf([create('c1'), create('d1', uuid(2))]);
    await expect(instance.handle(round)).rejects.toThrow('down');
    await instance.handle(round);
    expect(new Set(world.events.map(({ ticket }) => ticket.number)).size).toBe(2);
  });
});
