import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '#servers';
import { eventually } from '../support/eventually.js';

const run = promisify(execFile);
const root = process.cwd();
const startMs = 270_000;
let folder: string;
let product: ChildProcess;
let output = '';
/** What the README's commands need; servers of the test run are not for this product, it brings its own. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(KAFKA_BROKERS|MONGODB_URI|NODE_OPTIONS|NODE_ENV|JEST_|npm_)/.test(name)));

/** The first ticket's commands as the README shows them, for a gateway at another address. */
function firstTicket(gateway: string): string {
  const blocks = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!);
  const [token, open, find, move, makeKey, agent, stream] = blocks.join('').split(/\n\n/);
  const answer = (command: string) => command.replace(/^#.*\n/m, '');
  const field = (name: string, of: string) => `$(node -p 'JSON.parse(process.argv[1]).${name}' "$${of}")`;
  const until = (what: string) => `until grep -q '${what}' heard.txt; do sleep 0.1; done`;
  /** A slow machine only promises, or does not show yet: asked again, under one key, until the answer says it. */
  const told = (name: string, command: string, what: string) => `until ${name}=$(${command}) && grep -q '${what}' <<< "$${name}"; do sleep 0.1; done`;
  const listen = `timeout 270 ${answer(stream!).trim()} > heard.txt 2> /dev/null &`;
  const keyed = answer(move!).replace(' -H ', " -H 'Idempotency-Key: my-first-move' -H ");
  // A person is slower than the projection; a script says what it waits for.
  const seen = 'curl -s --retry 60 "http://127.0.0.1:3000/v1/tickets/$ID" -H "Authorization: Bearer $TOKEN" -H "X-Min-Version: 1" > /dev/null';
  const commands = [token, told('OPENED', answer(open!), '"version":1'), `ID=${field('id', 'OPENED')}`, seen, told('FOUND', answer(find!), '"total":1'), listen, until('^id:'), told('MOVED', keyed, '"version":2')];
  const asAgent = [told('KEY', answer(makeKey!), '"secret"'), `SECRET=${field('secret', 'KEY')}`, told('SEEN', answer(agent!), '"items"'), until('"type":"status-changed"'), 'kill $!'];
  return [...commands, ...asAgent, 'printf "%s\\n%s\\n%s\\n%s\\n" "$OPENED" "$FOUND" "$MOVED" "$SEEN"'].join('\n').replaceAll('http://127.0.0.1:3000', gateway);
}

beforeAll(async () => {
  folder = temporaryFolder('readme');
  const { stdout } = await run('git', ['ls-files'], { cwd: root });
  for (const file of stdout.split('\n').filter((name) => name && existsSync(join(root, name)))) cpSync(join(root, file), join(folder, file));
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  product = spawn('npm', ['start'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  for (const stream of [product.stdout!, product.stderr!]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const isOver = () => product.exitCode !== null || product.signalCode !== null;
  const isReady = () => existsSync(join(folder, '.deskstream/run.json'));
  await eventually(() => isReady() || isOver(), startMs, 'npm start is ready');
  if (!isReady()) throw new Error(`npm start did not get ready:\n${output}`);
}, startMs + 30_000);

afterAll(async () => {
  if (product?.exitCode === null) {
    process.kill(-product.pid!, 'SIGTERM');
    await once(product, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('the README', () => {
  it('brings the product up with npm start and opens, finds and moves a first ticket, hears of it, and lets an agent see it', async () => {
    const { gateway } = JSON.parse(readFileSync(join(folder, '.deskstream/run.json'), 'utf8')) as { gateway: string };
    await eventually(() => expect(output).toContain('npm run -s token -- --org acme --sub ada')); // the run file stands before the last lines are read
    const { stdout } = await run('bash', ['-euc', firstTicket(gateway)], { cwd: folder, env, timeout: 280_000 });
    const [opened, found, moved, seen] = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(opened).toMatchObject({ title: 'Invoice 4711 shows the wrong amount', status: 'open', createdBy: { id: 'ada' } });
    expect(found).toMatchObject({ items: [{ id: opened!['id'] }], total: 1 });
    expect(moved).toMatchObject({ id: opened!['id'], status: 'pending', commentCount: 1, version: 2 });
    expect((seen as { items: unknown[] }).items).toContainEqual(expect.objectContaining({ id: opened!['id'], assistantId: 'billing-bot' }));
  });
});
