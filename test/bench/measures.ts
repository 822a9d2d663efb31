import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { built } from '../../tools/places.js';
import { maxListDepth, type TicketList } from '#contracts';
import { ensureTopics } from '#messaging';
import { createCommands, ticketBody } from './commands.js';
import { load, median, type LoadResult } from './load.js';
import { metric, orgId, tell, until, type Setting } from './setting.js';

/** Named figures of one measure, as they are printed. */
export type Figures = Record<string, number | string>;

/** Another program of the benchmarks, and the lines it prints. */
function start(program: string, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [built(`test/bench/${program}.js`)], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, lines: createInterface({ input: child.stdout }) };
}

const creates = (setting: Setting) =>
  Array.from({ length: 200 }, (_, index) => ({ method: 'POST', path: '/v1/tickets', headers: setting.headers(), body: JSON.stringify(ticketBody(index)) }));

/** Creates through REST against the bare server, alternating, at 64 and 256 open requests. */
export async function rest(setting: Setting, { runs, seconds }: { runs: number; seconds: number }): Promise<Figures> {
  const { child, lines } = start('reference-http', { MONGODB_URI: setting.servers.mongodbUri });
  const [reference] = (await once(lines, 'line')) as [string];
  const targets = { reference, deskstream: setting.stack.gatewayUrl };
  for (const url of Object.values(targets)) await warmUp(setting, url);
  const figures: Figures = {};
  for (const connections of [64, 256]) Object.assign(figures, await alternate(setting, targets, { connections, runs, seconds }));
  child.kill('SIGTERM');
  return figures;
}

/** Loads a target until it gets no faster: compilers of three languages work on it meanwhile. */
async function warmUp(setting: Setting, url: string): Promise<void> {
  let best = 0;
  for (let run = 0; run < 12; run += 1) {
    const { perSecond } = await load({ url, connections: 64, seconds: 4, requests: creates(setting) });
    tell(`warming up: ${perSecond.toFixed(0)}/s`);
    if (run > 2 && perSecond < 1.05 * best) return;
    best = Math.max(best, perSecond);
  }
}

async function alternate(
  setting: Setting,
  targets: { reference: string; deskstream: string },
  { connections, runs, seconds }: { connections: number; runs: number; seconds: number },
): Promise<Figures> {
  const results: Record<string, LoadResult[]> = { reference: [], deskstream: [] };
  const spent: Record<string, Spent> = { reference: {}, deskstream: {} };
  const roundsBefore = await rounds(setting);
  for (let run = 0; run < runs; run += 1) {
    for (const [name, url] of Object.entries(targets)) {
      await setting.settled(); // neither side pays for what the other has left
      const before = setting.usage();
      const result = await load({ url, connections, seconds, requests: creates(setting) });
      add(spent[name]!, before, setting.usage());
      results[name]!.push(result);
      tell(`${name} at ${connections} open: ${result.perSecond.toFixed(0)}/s, p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms, other answers ${result.others}`);
    }
  }
  const roundsAfter = await rounds(setting);
  const of = (name: string, figure: keyof LoadResult) => median(results[name]!.map((result) => result[figure]));
  const ratios = results['deskstream']!.map((result, run) => result.perSecond / results['reference']![run]!.perSecond);
  return {
    [`REST creates/s at ${connections} open`]: of('deskstream', 'perSecond'),
    [`p50 / p99 ms at ${connections} open`]: `${of('deskstream', 'p50Ms')} / ${of('deskstream', 'p99Ms')}`,
    [`reference (a) inserts/s at ${connections} open`]: of('reference', 'perSecond'),
    [`share of (a) at ${connections} open`]: median(ratios),
    [`commands in a round at ${connections} open`]: (roundsAfter.records - roundsBefore.records) / (roundsAfter.count - roundsBefore.count),
    ...Object.fromEntries(Object.entries(results).map(([name, all]) => [`CPU µs a create at ${connections} open, ${name}`, ofEach(spent[name]!, all.reduce((sum, { perSecond }) => sum + perSecond * seconds, 0))])),
  };
}

type Usage = ReturnType<Setting['usage']>;
/** CPU seconds by process. */
type Spent = Record<string, number>;

function add(spent: Spent, before: Usage, after: Usage): void {
  for (const [name, { cpuSeconds }] of Object.entries(after)) spent[name] = (spent[name] ?? 0) + cpuSeconds - (before[name]?.cpuSeconds ?? 0);
}

/** CPU µs by process, of each of so many. */
const ofEach = (spent: Spent, count: number) =>
  Object.entries(spent)
    .map(([name, cpuSeconds]) => `${name} ${((cpuSeconds / count) * 1e6).toFixed(0)}`)
    .join(', ');

const cpuSince = (before: Usage, after: Usage) =>
  Object.entries(after)
    .map(([name, { cpuSeconds }]) => `${name} ${(cpuSeconds - (before[name]?.cpuSeconds ?? 0)).toFixed(1)}`)
    .join(', ');

async function rounds(setting: Setting): Promise<{ count: number; records: number }> {
  const url = setting.stack.apps['ticket-command'][0]!.managementUrl;
  return { count: await metric(url, 'deskstream_round_records_count'), records: await metric(url, 'deskstream_round_records_sum') };
}

/** Latency of creates at 200 a second. */
export async function latency(setting: Setting, { seconds }: { seconds: number }): Promise<Figures> {
  await load({ url: setting.stack.gatewayUrl, connections: 32, seconds: 10, requests: creates(setting), rate: 200 });
  const result = await load({ url: setting.stack.gatewayUrl, connections: 32, seconds, requests: creates(setting), rate: 200 });
  const { perSecond, p50Ms, p99Ms, others } = result;
  return { 'at 200/s: answered/s': perSecond, 'at 200/s: p50 / p99 ms': `${p50Ms} / ${p99Ms}`, 'at 200/s: other answers': others };
}

/** ticket-command alone on a backlog, then query-search alone on the events of it. */
export async function backlog(setting: Setting, { commands }: { commands: number }): Promise<Figures> {
  const [command, query] = [setting.stack.apps['ticket-command'][0]!, setting.stack.apps['query-search'][0]!];
  await command.end();
  await query.end();
  tell(`writing ${commands} commands`);
  for (let rest = commands; rest > 0; rest -= 20_000) await setting.produce(createCommands(orgId, Math.min(rest, 20_000)));
  const decided = await catchUp(command, { total: commands, name: 'deskstream_commands_total' });
  await command.end();
  const indexed = catchUp(query, { total: commands, name: 'deskstream_records_total', label: 'group="query-search.search"' });
  const before = setting.usage();
  const projected = await catchUp(query, { total: commands, name: 'deskstream_views_written_total' });
  const cpu = cpuSince(before, setting.usage());
  const afterwards = catchUp(query, { total: commands, name: 'deskstream_records_total', label: 'group="query-search.search"' });
  await Promise.all([indexed, afterwards]);
  await command.restart();
  return {
    'backlog: commands/s of ticket-command alone': decided.perSecond,
    'replay: views and timelines, events/s of query-search alone': projected.perSecond,
    'CPU s of the replay up to there, start included': cpu,
    'replay: what tickets are found by, events/s after that': (await afterwards).perSecond,
    'replay: everything, events/s': (await indexed).perSecond,
  };
}

interface Counter {
  total: number;
  name: string;
  label?: string;
}

/** Four looks a second took a twelfth of the time of whoever was asked. */
const lookingSeldom = { everyMs: 500 };

/** Starts a service where it is not running and measures how fast a counter of its rises to `total`: from the first tenth, or where it is, to the end. */
export async function catchUp(app: Setting['stack']['apps']['gateway'][number], { total, name, label }: Counter): Promise<{ perSecond: number }> {
  if (!app.isRunning) app.start();
  const seen = async () => metric(app.managementUrl, name, label).catch(() => 0);
  await until(`the first records of ${app.name}`, async () => (await seen()) >= total / 10, lookingSeldom);
  const [from, startedAt] = [await seen(), performance.now()];
  let now = from;
  await until(`the backlog of ${app.name}`, async () => (now = await seen()) >= total, { ...lookingSeldom, seconds: 600 });
  const perSecond = (now - from) / ((performance.now() - startedAt) / 1_000);
  tell(`${app.name}, ${name}: ${perSecond.toFixed(0)}/s`);
  return { perSecond };
}

/** Reference (b): the same commands through the framework's own transport. */
export async function stock(setting: Setting, { commands }: { commands: number }): Promise<Figures> {
  const topic = 'bench.stock.commands';
  const brokers = setting.servers.kafkaBrokers.split(',');
  await ensureTopics(brokers, [topic, `${topic}.reply`].map((name) => ({ name, partitions: 12, replication: 1, config: {} })));
  const reply = { kafka_correlationId: randomUUID(), kafka_replyTopic: `${topic}.reply`, kafka_replyPartition: '0' };
  await setting.produce(createCommands(orgId, commands, topic, reply));
  const { child, lines } = start('stock-transport', { KAFKA_BROKERS: brokers.join(','), MONGODB_URI: setting.servers.mongodbUri });
  let answered = 0;
  lines.on('line', (line) => (answered = Number(line)));
  await until('the first answers of the stock transport', async () => answered > 0);
  const [from, startedAt] = [answered, performance.now()];
  await until('the backlog of the stock transport', async () => answered >= commands, { seconds: 300 });
  child.kill('SIGTERM');
  return { 'reference (b): commands/s through the stock transport': (commands - from) / ((performance.now() - startedAt) / 1_000) };
}

/** The first page of an organisation's tickets. Counting stops at 10,000: where there are fewer yet, the others are made. */
async function firstOfMany(setting: Setting): Promise<TicketList> {
  const read = async () => (await (await fetch(`${setting.stack.gatewayUrl}/v1/tickets?pageSize=100`, { headers: setting.headers() })).json()) as TicketList;
  let page = await read();
  if (page.total < maxListDepth) {
    tell(`writing ${maxListDepth - page.total} commands`);
    await setting.produce(createCommands(orgId, maxListDepth - page.total));
    await until('tickets to list', async () => (page = await read()).total >= maxListDepth, { ...lookingSeldom, seconds: 600 });
  }
  await setting.settled();
  return page;
}

/** List and detail at 8 open requests. */
export async function reads(setting: Setting, { seconds }: { seconds: number }): Promise<Figures> {
  const headers = setting.headers();
  const page = await firstOfMany(setting);
  const paths: Record<string, string[]> = {
    'list, newest': ['/v1/tickets'],
    'list, by status and priority': ['/v1/tickets?status=open&priority=high', '/v1/tickets?status=open&sort=-updatedAt'],
    'list, one word': ['invoice', 'refund', 'printer'].map((word) => `/v1/tickets?q=${word}`),
    detail: page.items.map(({ id }) => `/v1/tickets/${id}`),
  };
  const figures: Figures = { 'tickets in the organisation (counting stops at 10,000)': page.total };
  for (const [name, those] of Object.entries(paths)) {
    const requests = those.map((path) => ({ method: 'GET', path, headers }));
    await load({ url: setting.stack.gatewayUrl, connections: 8, seconds: 2, requests });
    const before = setting.usage();
    const { perSecond, p50Ms, p99Ms, others } = await load({ url: setting.stack.gatewayUrl, connections: 8, seconds, requests });
    tell(`${name}: ${perSecond.toFixed(0)}/s, CPU s: ${cpuSince(before, setting.usage())}`);
    Object.assign(figures, { [`${name}: requests/s at 8 open`]: perSecond, [`${name}: p50 / p99 ms`]: `${p50Ms} / ${p99Ms}${others ? `, other answers ${others}` : ''}` });
  }
  return figures;
}

/** How long the first command waits for its outcome after ticket-command was killed and started again. */
export async function crash(setting: Setting): Promise<Figures> {
  const app = setting.stack.apps['ticket-command'][0]!;
  await app.kill('SIGKILL');
  const killedAt = performance.now();
  app.start();
  const create = async () => fetch(`${setting.stack.gatewayUrl}/v1/tickets`, { method: 'POST', headers: { ...setting.headers(), 'idempotency-key': 'after-the-crash' }, body: JSON.stringify(ticketBody(1)) });
  await until('the first outcome after the crash', async () => (await create()).status === 201);
  return { 'after a SIGKILL of ticket-command: first outcome, s': (performance.now() - killedAt) / 1_000 };
}

/** Memory of every process. */
export const memory = (setting: Setting): Figures =>
  Object.fromEntries(Object.entries(setting.usage()).map(([name, { residentMb }]) => [`memory of ${name}, MB`, residentMb]));
