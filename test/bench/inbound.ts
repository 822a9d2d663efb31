import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inboundResultsTopic, inboundTopic } from '#contracts';
import { Backlog, RecordProducer } from '#messaging';
import { built } from '../../tools/places.js';
import { grantOf, inboundRecord, makeSystemTopics, publishEntries } from '../support/inbound.js';
import { ticketBody } from './commands.js';
import { load } from './load.js';
import type { Figures } from './measures.js';
import { metric, orgId, tell, until, type Setting } from './setting.js';

const system = 'bench';
/** A tenth is left out: compilers work on it, and the consumer group is still being dealt its partitions. */
const share = 10;

/** Records of an outside system that lie on its topic until each has its result, beside the rate at which one process inserts one document per request. */
export async function inbound(setting: Setting, { records, seconds }: { records: number; seconds: number }): Promise<Figures> {
  const brokers = setting.servers.kafkaBrokers;
  const [app, query] = [setting.stack.apps['ticket-command'][0]!, setting.stack.apps['query-search'][0]!];
  const reference = await inserts(setting, seconds);
  await makeSystemTopics(brokers, system);
  const producer = new RecordProducer({ brokers: brokers.split(','), clientId: 'bench-directory' });
  await producer.connect();
  await publishEntries(producer, grantOf(system, orgId, { assistantIds: ['bench-bot'] }));
  await producer.close();
  await query.end();
  await app.end();
  tell(`writing ${records} records`);
  const record = (index: number) => inboundRecord(system, { verb: 'create', orgId, externalId: `ticket-${index}`, data: ticketBody(index) });
  for (let at = 0; at < records; at += 20_000) await setting.produce(Array.from({ length: Math.min(20_000, records - at) }, (_, index) => record(at + index)));
  const before = setting.usage();
  app.start();
  const perSecond = await rate(setting, records);
  const cpu = Object.entries(setting.usage()).map(([name, { cpuSeconds }]) => `${name} ${(cpuSeconds - (before[name]?.cpuSeconds ?? 0)).toFixed(1)}`);
  const rounds = async (group: string, figure: string) => metric(app.managementUrl, `deskstream_round_records_${figure}`, `group="${group}"`);
  const size = async (group: string) => (await rounds(group, 'sum')) / (await rounds(group, 'count'));
  const figures = {
    'inbound: records/s to stored and told': perSecond,
    'inbound: reference (a), bare inserts/s at 64 open': reference,
    'inbound: share of (a)': perSecond / reference,
    'inbound: records in a round, of the door / of the commands': `${(await size(`ticket-command.inbound.${system}`)).toFixed(0)} / ${(await size('ticket-command')).toFixed(0)}`,
    'inbound: CPU s of the run, start included': cpu.join(', '),
  };
  await query.restart();
  return figures;
}

/** Bare inserts a second; the first load only warms up. */
async function inserts({ servers }: Setting, seconds: number): Promise<number> {
  const child = spawn(process.execPath, [built('test/bench/reference-http.js')], { env: { ...process.env, MONGODB_URI: servers.mongodbUri }, stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const requests = Array.from({ length: 200 }, (_, index) => ({ method: 'POST' as const, path: '/', headers: { 'content-type': 'application/json' }, body: JSON.stringify(ticketBody(index)) }));
  await load({ url, connections: 64, seconds, requests });
  const { perSecond } = await load({ url, connections: 64, seconds, requests });
  child.kill('SIGTERM');
  tell(`reference: ${perSecond.toFixed(0)}/s`);
  return perSecond;
}

/** Results that came to the system's topic a second, from the first tenth to the last one. */
async function rate({ servers }: Setting, records: number): Promise<number> {
  const backlog = await Backlog.open(servers.kafkaBrokers.split(','));
  const told = () => backlog.written(inboundResultsTopic(system));
  await until('the first results', async () => (await told()) >= records / share);
  const [from, startedAt] = [await told(), performance.now()];
  await until('all results', async () => (await told()) >= records, { seconds: 600, everyMs: 100 });
  const perSecond = (records - from) / ((performance.now() - startedAt) / 1_000);
  const left = await backlog.of(`ticket-command.inbound.${system}`, inboundTopic(system));
  await backlog.close();
  tell(`inbound: ${perSecond.toFixed(0)}/s, ${left} records are not committed yet`);
  return perSecond;
}
