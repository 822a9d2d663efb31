import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { stream } from './events.js';
import { inbound } from './inbound.js';
import { backlog, crash, latency, memory, reads, rest, stock, type Figures } from './measures.js';
import { notices } from './notices.js';
import { notify } from './notify.js';
import { search, searchDirectory } from './search.js';
import { Setting, tell } from './setting.js';
import { timers } from './timers.js';

interface Options {
  only?: string;
  runs: string;
  seconds: string;
  commands: string;
  tickets: string;
  others: string;
  othersTickets: string;
  smaller: string;
  keep?: string;
  ask?: string;
  readers: string;
  timers: string;
  json?: string;
  cpuProf?: string;
  nodeOptions?: string;
}

const usual = ['rest', 'latency', 'backlog', 'stock', 'reads', 'crash'] as const;
const names = [...usual, 'inbound', 'notices', 'notify', 'stream', 'timers', 'search'] as const;

const options = new Command('npm run bench --')
  .description('Measures the running product on real servers of its own and prints what it saw.')
  .argument('[measures...]', `some of ${names.join(', ')}; all but inbound, notices, notify, stream, timers and search when left out`)
  .option('--only <names>', 'the same, between commas')
  .option('--runs <n>', 'alternating runs against the reference', '5')
  .option('--seconds <n>', 'length of one run', '6')
  .option('--commands <n>', 'size of the backlog, of inbound records as well', '100000')
  .option('--tickets <n>', 'search: tickets of the organisation that is asked about', '200000')
  .option('--others <n>', 'search: organisations that share the store', '20')
  .option('--others-tickets <n>', 'search: tickets of each of those', '5000')
  .option('--smaller <n>', 'search: tickets of an organisation that is asked the same, for the growth from it to the larger one; 0 for none', '100000')
  .option('--ask <text>', 'search: only the questions with this in their name')
  .option('--keep <dir>', "keeps the servers' data there; search fills them once, and asks them again")
  .option('--readers <n>', 'stream: open streams', '2000')
  .option('--timers <n>', 'timers: tickets with a deadline to come', '1000000')
  .option('--json <file>', 'writes the figures as JSON too')
  .option('--node-options <options>', 'options of Node for every service, such as "--trace-gc"')
  .option('--cpu-prof <dir>', 'writes a CPU profile of every service there')
  .parse();
const { args } = options;
const { only, json, cpuProf, keep, ask = '', nodeOptions = '', ...sizes } = options.opts<Options>();

const [runs, seconds, commands] = [Number(sizes.runs), Number(sizes.seconds), Number(sizes.commands)];
const measures: Record<(typeof names)[number], (setting: Setting) => Promise<Figures>> = {
  rest: (setting) => rest(setting, { runs, seconds }),
  latency: (setting) => latency(setting, { seconds: 3 * seconds }),
  backlog: (setting) => backlog(setting, { commands }),
  stock: (setting) => stock(setting, { commands: Math.min(commands, 3_000) }),
  reads: (setting) => reads(setting, { seconds }),
  crash: (setting) => crash(setting),
  inbound: (setting) => inbound(setting, { records: commands, seconds }),
  notices: (setting) => notices(setting, { seconds }),
  notify: (setting) => notify(setting, { events: Math.min(commands, 2_000), seconds }),
  stream: (setting) => stream(setting, { seconds, readers: Number(sizes.readers) }),
  timers: (setting) => timers(setting, { timers: Number(sizes.timers), seconds: 5 * seconds }),
  search: (setting) =>
    search(setting, { tickets: Number(sizes.tickets), smaller: Number(sizes.smaller), others: Number(sizes.others), othersTickets: Number(sizes.othersTickets), seconds, ask }),
};

const named = [...args, ...(only?.split(',') ?? [])];
const chosen: readonly string[] = named.length > 0 ? named : usual;
const unknown = [...chosen].filter((name) => !Object.hasOwn(measures, name));
if (unknown.length > 0) {
  process.stderr.write(`There is no measure called ${unknown.join(', ')}. There are ${names.join(', ')}.\n`);
  process.exit(1);
}

const setting = await Setting.open({
  nodeOptions: [...nodeOptions.split(' ').filter((option) => option !== ''), ...(cpuProf ? ['--cpu-prof', `--cpu-prof-dir=${cpuProf}`] : [])],
  keep,
  ...(chosen.includes('search') && { directory: searchDirectory }),
});
const figures: Figures = {};
try {
  for (const name of names.filter((one) => chosen.includes(one))) {
    await setting.settled();
    tell(`measuring: ${name}`);
    Object.assign(figures, await measures[name](setting));
  }
  Object.assign(figures, memory(setting));
} finally {
  await setting.close();
}
const rounded = Object.entries(figures).map(([name, value]) => [name, typeof value === 'number' ? Number(value.toPrecision(4)) : value] as const);
const width = Math.max(...rounded.map(([name]) => name.length));
for (const [name, value] of rounded) process.stdout.write(`${name.padEnd(width)}  ${value}\n`);
process.stdout.write(`${JSON.stringify(Object.fromEntries(rounded))}\n`);
if (json) writeFileSync(json, `${JSON.stringify(Object.fromEntries(rounded), null, 2)}\n`);
