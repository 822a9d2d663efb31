import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StoreFault, type Commit, type CommitLog } from '#persistence';

/** A commit of a ticket of its own, unless told otherwise. Applied ones are of version 1. */
export function commitOf(changes: Partial<Commit> = {}): Commit {
  const outcome = changes.outcome ?? 'applied';
  return {
    orgId: 'acme',
    ticketId: randomUUID(),
    commandId: randomUUID(),
    outcome,
    payloadHash: 'hash',
    ...(outcome === 'applied' && { version: 1 }),
    type: outcome === 'applied' ? 'ticket.created.v1' : 'ticket.command-result.v1',
    at: '2026-01-01T12:00:00.000Z',
    value: Buffer.from('{"some":"json"}'),
    source: { topic: 'ticket.commands.v1', partition: 3, offset: '42' },
    ...changes,
  };
}

/** Two instances' logs over one store, which the suite has for itself. */
export interface Opened {
  log: CommitLog;
  other: CommitLog;
  close(): Promise<void>;
}

const known = (commit: Commit) => JSON.parse(JSON.stringify({ ...commit, value: commit.value.toString('hex') })) as object;
const byId = (commits: readonly Commit[]) => commits.map(known).sort((one, two) => JSON.stringify(one).localeCompare(JSON.stringify(two)));
const history = (ticketId: string, versions: number) => Array.from({ length: versions }, (_, n) => commitOf({ ticketId, version: n + 1 }));

/** What every commit log promises. */
export function commitLogSuite(name: string, open: () => Promise<Opened>): void {
  describe(`commit log: ${name}`, () => {
    let opened: Opened;
    beforeAll(async () => void (opened = await open()));
    afterAll(() => opened?.close());

    const append = async (...commits: Commit[]) => {
      for (const commit of commits) expect(await opened.log.append([commit])).toEqual({ lost: [], refused: [] });
    };

    describe('find', () => {
      it('gives back what was stored, every member of it', async () => {
        const full = commitOf({
          traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
          rules: { deleted: false, notes: 2, messages: 0, undelivered: ['a', 'b'] },
          origin: { system: 'erp', id: 'e1', topic: 't', partition: 0, offset: '9007199254740993' },
        });
        const bare = [commitOf(), commitOf({ outcome: 'unchanged' }), commitOf({ outcome: 'rejected' })];
        await append(full, ...bare);
        expect(byId((await opened.log.find([full, ...bare])).commits)).toEqual(byId([full, ...bare]));
      });

      it('gives back bytes as they were', async () => {
        const values = [Buffer.alloc(0), Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from('\u{1F525}é\u0000'), Buffer.alloc(900_000, 'x')];
        const commits = values.map((value) => commitOf({ value }));
        await append(...commits);
        for (const commit of commits) expect(((await opened.log.find([commit])).commits)[0]?.value.equals(commit.value)).toBe(true);
      });

      it('takes any text for a command’s id', async () => {
        const ticketId = randomUUID();
        const commits = ['a/b', '/', 'é', '$set', 'a.b', 'x'.repeat(300)].map((commandId, n) => commitOf({ ticketId, commandId, version: n + 1 }));
        await append(...commits);
        expect(byId((await opened.log.find(commits)).commits)).toEqual(byId(commits));
      });

      it('knows a command by organisation, ticket and id together', async () => {
        const commit = commitOf();
        await append(commit);
        const { orgId, ticketId, commandId } = commit;
        for (const other of [
          { orgId: 'globex', ticketId, commandId },
          { orgId, ticketId: randomUUID(), commandId },
          { orgId, ticketId, commandId: randomUUID() },
        ]) {
          expect((await opened.log.find([other])).commits).toEqual([]);
        }
      });

      it('gives a command that is asked for twice once, and nothing for nothing', async () => {
        const commit = commitOf();
        await append(commit);
        expect((await opened.log.find([commit, commit])).commits).toHaveLength(1);
        expect((await opened.log.find([])).commits).toEqual([]);
      });

      it('gives all of 500 at once', async () => {
        const commits = Array.from({ length: 500 }, () => commitOf());
        expect(await opened.log.append(commits)).toEqual({ lost: [], refused: [] });
        expect(byId((await opened.log.find(commits)).commits)).toEqual(byId(commits));
      });
    });

    describe('newest', () => {
      it('gives the highest version of each ticket, in whatever order they were stored', async () => {
        const [one, two] = [randomUUID(), randomUUID()];
        const commits = [...history(one, 12).reverse(), ...history(two, 3)];
        await append(...commits);
        const newest = (await opened.log.newest([{ orgId: 'acme', ticketId: one }, { orgId: 'acme', ticketId: two }])).commits;
        expect(byId(newest)).toEqual(byId([commits[0]!, commits[14]!]));
      });

      it('gives it whole', async () => {
        const commit = commitOf({ rules: { notes: 7 }, traceparent: 'trace', value: Buffer.from([0, 255, 128]) });
        await append(commit);
        expect(byId((await opened.log.newest([commit])).commits)).toEqual(byId([commit]));
      });

      it('passes over what changed nothing or was refused, and tickets that are not there', async () => {
        const ticketId = randomUUID();
        const applied = commitOf({ ticketId });
        await append(applied, commitOf({ ticketId, outcome: 'unchanged' }), commitOf({ ticketId, outcome: 'rejected' }));
        const refusedOnly = commitOf({ outcome: 'rejected' });
        await append(refusedOnly);
        const newest = (await opened.log.newest([{ orgId: 'acme', ticketId }, refusedOnly, { orgId: 'acme', ticketId: randomUUID() }])).commits;
        expect(byId(newest)).toEqual(byId([applied]));
        expect((await opened.log.newest([])).commits).toEqual([]);
      });

      it('keeps organisations apart', async () => {
        const commit = commitOf();
        await append(commit);
        expect((await opened.log.newest([{ orgId: 'globex', ticketId: commit.ticketId }])).commits).toEqual([]);
      });

      it('finds the newest of 1,000 versions', async () => {
        const ticketId = randomUUID();
        await opened.log.append(history(ticketId, 1_000));
        expect(((await opened.log.newest([{ orgId: 'acme', ticketId }])).commits).map(({ version }) => version)).toEqual([1_000]);
      });
    });

    describe('append', () => {
      it('tells a command that is there as lost, and leaves it as it was', async () => {
        const first = commitOf();
        await append(first);
        const again = commitOf({ ...first, version: 2, value: Buffer.from('other') });
        const refused = commitOf({ ...first, outcome: 'rejected', version: undefined });
        expect(await opened.other.append([again])).toEqual({ lost: [again], refused: [] });
        expect(await opened.other.append([refused])).toEqual({ lost: [refused], refused: [] });
        expect(byId((await opened.log.find([first])).commits)).toEqual(byId([first]));
      });

      it('tells a version that is there as lost', async () => {
        const first = commitOf();
        await append(first);
        const rival = commitOf({ ticketId: first.ticketId });
        expect(await opened.other.append([rival])).toEqual({ lost: [rival], refused: [] });
        expect((await opened.log.find([rival])).commits).toEqual([]);
      });

      it('takes the same version in another organisation', async () => {
        const first = commitOf();
        await append(first, commitOf({ ticketId: first.ticketId, orgId: 'globex' }));
      });

      it('takes any number of answers without a version', async () => {
        const ticketId = randomUUID();
        await append(commitOf({ ticketId }), ...Array.from({ length: 3 }, () => commitOf({ ticketId, outcome: 'rejected' })), commitOf({ ticketId, outcome: 'unchanged' }));
      });

      it.each(['as they are', 'backwards'] as const)('stores what can be stored beside what is lost, %s', async (order) => {
        const taken = [commitOf(), commitOf()];
        await append(...taken);
        const lost = [commitOf({ ...taken[0]!, payloadHash: 'other' }), commitOf({ ticketId: taken[1]!.ticketId })];
        const fresh = [commitOf(), commitOf({ outcome: 'rejected' }), commitOf()];
        const batch = [fresh[0]!, lost[0]!, fresh[1]!, lost[1]!, fresh[2]!];
        const result = await opened.other.append(order === 'backwards' ? batch.reverse() : batch);
        expect(result.refused).toEqual([]);
        expect(new Set(result.lost)).toEqual(new Set(lost));
        expect(byId((await opened.log.find(fresh)).commits)).toEqual(byId(fresh));
      });

      it('does nothing with nothing', async () => expect(await opened.log.append([])).toEqual({ lost: [], refused: [] }));

      it('lets one of two writers win each command, and tells the other', async () => {
        const commits = Array.from({ length: 200 }, () => commitOf());
        const [one, other] = await Promise.all([opened.log.append(commits), opened.other.append([...commits].reverse())]);
        const lost = [...one.lost, ...other.lost].map(({ commandId }) => commandId);
        expect([one.refused, other.refused]).toEqual([[], []]);
        expect(lost.sort()).toEqual(commits.map(({ commandId }) => commandId).sort());
        expect(byId((await opened.log.find(commits)).commits)).toEqual(byId(commits));
      });

      /** An engine on PostgreSQL may end one of two writers that wait for each other: a fault that passes, and the product tries its round again. */
      const untilNoneIsEnded = async (race: () => Promise<void>, tries = 5): Promise<void> =>
        race().catch((error: unknown) => {
          if (tries === 1 || !(error instanceof StoreFault)) throw error;
          return untilNoneIsEnded(race, tries - 1);
        });

      it('lets one of two writers win each version, and tells the other', () =>
        untilNoneIsEnded(async () => {
          const mine = Array.from({ length: 200 }, () => commitOf());
          const rivals = mine.map(({ ticketId }) => commitOf({ ticketId }));
          const [one, other] = await Promise.all([opened.log.append(mine), opened.other.append(rivals)]);
          expect(new Set([...one.lost, ...other.lost].map(({ ticketId }) => ticketId)).size).toBe(200);
          expect(one.lost.length + other.lost.length).toBe(200);
          const stored = (await opened.log.newest(mine)).commits;
          expect(stored).toHaveLength(200);
          const lost = new Set([...one.lost, ...other.lost].map(({ commandId }) => commandId));
          expect(stored.filter(({ commandId }) => lost.has(commandId))).toEqual([]);
        }));
    });
  });
}
