import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { backlog, crash, latency, memory, reads, rest, stock, type Figures } from './measures.js';
import { Setting, tell } from './setting.js';

interface Options {
  only?: string;
  runs: string;
  seconds: string;
  commands: string;
  json?: string;
  cpuProf?: string;
}

const names = ['rest', 'latency', 'backlog', 'stock', 'reads', 'crash'] as const;

const options = new Command('npm run bench --')
  .description('Measures the running product on real servers of its own and prints what it saw.')
  .option('--only <names>', `some of ${names.join(', ')}, between commas`)
  .option('--runs <n>', 'alternating runs against the reference', '5')
  .option('--seconds <n>', 'length of one run', '6')
  .option('--commands <n>', 'size of the backlog', '100000')
  .option('--json <file>', 'writes the figures as JSON too')
  .option('--cpu-prof <dir>', 'writes a CPU profile of every service there')
  .parse()
  .opts<Options>();

const [runs, seconds, commands] = [Number(options.runs), Number(options.seconds), Number(options.commands)];
const measures: Record<(typeof names)[number], (setting: Setting) => Promise<Figures>> = {
  rest: (setting) => rest(setting, { runs, seconds }),
  latency: (setting) => latency(setting, { seconds: 3 * seconds }),
  backlog: (setting) => backlog(setting, { commands }),
  stock: (setting) => stock(setting, { commands: Math.min(commands, 3_000) }),
  reads: (setting) => reads(setting, { seconds }),
  crash: (setting) => crash(setting),
};

const chosen = options.only?.split(',') ?? names;
const unknown = chosen.filter((name) => !Object.hasOwn(measures, name));
if (unknown.length > 0) {
  process.stderr.write(`There is no measure called ${unknown.join(', ')}. There are ${names.join(', ')}.\n`);
  process.exit(1);
}

const setting = await Setting.open(options.cpuProf ? ['--cpu-prof', `--cpu-prof-dir=${options.cpuProf}`] : []);
const figures: Figures = {};
try {
  for (const name of names.filter((one) => chosen.includes(one))) {
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
if (options.json) writeFileSync(options.json, `${JSON.stringify(Object.fromEntries(rounded), null, 2)}\n`);
