/** Fills a running installation with believable tickets: `npm run demo:seed -- --tickets 100000 --organisations 20` */
import { readFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DirectorySeed } from '#contracts';
import { Backlog, RecordProducer } from '#messaging';
import { amount, duration, Progress } from '#observability';
import { dataDir, demoDirectory } from '../places.js';
import { readRun } from '../start/run-file.js';
import { seedOrganisations } from './organisations.js';
import { commandsOf, sharesOf, type Share } from './plan.js';
import { Seeding, SeedingFailed, type Sent } from './seeding.js';

interface Options {
  tickets: number;
  organisations: number;
  seed: number;
  even: boolean;
  from: number;
  wait: boolean;
  brokers?: string;
  dataDir: string;
}

const options = new Command('npm run demo:seed --')
  .description('Fills the running demo installation with believable tickets of the last year. Running it again changes nothing; another seed adds more.')
  .option('--tickets <count>', 'how many in all', whole(1, 100_000_000), 2_000)
  .option('--organisations <count>', 'acme and globex first, then made-up ones', whole(1, 9_999), 2)
  .option('--seed <number>', 'the same seed makes the same tickets', whole(0, 1_000_000_000), 1)
  .option('--even', 'the same number for every organisation; otherwise the first one gets half', false)
  .option('--from <count>', 'leave out so many of the first tickets: they are there already', whole(0, 100_000_000), 0)
  .option('--no-wait', 'send as fast as the broker takes it, without waiting for the services')
  .option('--brokers <list>', 'Kafka brokers, host:port between commas; those of the running npm start otherwise')
  .addOption(new Option('--data-dir <path>', 'where npm start keeps its data').default(dataDir).hideHelp())
  .parse()
  .opts<Options>();

Logger.overrideLogger(false); // what went wrong is told below, once

const progress = new Progress();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}
for (const output of [process.stdout, process.stderr]) output.on('error', () => {}); // a reader that went away is no reason to stop

try {
  process.exitCode = await run(options);
} catch (error) {
  progress.say(error instanceof SeedingFailed ? error.message : `demo:seed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function run({ tickets, organisations, seed, even, from, wait, brokers, dataDir: folder }: Options): Promise<number> {
  const kafkaBrokers = (brokers ?? brokersOf(folder)).split(',');
  const directory = DirectorySeed.parse(JSON.parse(readFileSync(demoDirectory, 'utf8')));
  const shares = sharesOf(tickets, seedOrganisations(organisations, directory), { even });
  const total = shares.reduce((sum, share) => sum + share.tickets, 0);
  const end = Math.floor(Date.now() / 60_000) * 60_000;
  const backlog = await Backlog.open(kafkaBrokers);
  const producer = new RecordProducer({ brokers: kafkaBrokers, clientId: 'demo-seed' });
  try {
    await producer.connect();
    const began = performance.now();
    const seeding = new Seeding({ producer, backlog, progress, signal: stop.signal, noWait: !wait });
    const sent = await seeding.send(commandsOf({ seed, shares, end }, from), total, from);
    if (wait && !stop.signal.aborted) await seeding.follow();
    progress.say(stop.signal.aborted ? howToGoOn(sent, total) : summary(sent, shares, (performance.now() - began) / 1_000));
    return stop.signal.aborted ? 130 : 0;
  } finally {
    await Promise.all([producer.close(), backlog.close()]);
  }
}

function brokersOf(folder: string): string {
  const found = readRun(folder);
  if (found) return found.kafkaBrokers;
  throw new SeedingFailed('Deskstream is not running here: start it with "npm start" in another terminal, or name Kafka brokers with --brokers.');
}

function howToGoOn({ tickets, complete }: Sent, total: number): string {
  const { organisations, seed, even, brokers } = options;
  const flags = [`--tickets ${options.tickets}`, `--organisations ${organisations}`, `--seed ${seed}`, even && '--even', !options.wait && '--no-wait', brokers && `--brokers ${brokers}`];
  const command = ['npm run demo:seed --', ...flags.filter(Boolean), complete > 0 && `--from ${complete}`].filter(Boolean).join(' ');
  return `Stopped; ${amount(tickets)} of ${amount(total)} tickets are whole. To go on (nothing is made twice):\n  ${command}`;
}

function summary({ commands }: Sent, shares: readonly Share[], seconds: number): string {
  const [first, second] = shares.map(({ organisation, tickets }) => `${organisation.id} ${amount(tickets)}`);
  const others = shares.length > 2 ? `, ${shares.length - 2} more ${amount(shares.slice(2).reduce((sum, share) => sum + share.tickets, 0))}` : '';
  const total = shares.reduce((sum, { tickets }) => sum + tickets, 0);
  return [
    `${amount(total)} tickets of seed ${options.seed} are there (${[first, second].filter(Boolean).join(', ')}${others}):`,
    `${amount(commands)} commands in ${duration(seconds)}, ${amount(commands / seconds)} a second.`,
    'See them as: npm run -s token -- --org acme --sub ada',
  ].join('\n');
}

function whole(low: number, high: number) {
  return (text: string): number => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (!(value >= low && value <= high)) throw new InvalidArgumentError(`It is a whole number from ${low} to ${high}.`);
    return value;
  };
}
