/** Dead letters for operators: `npm run -s dead-letters -- list|show|replay|discard`. Exit codes: 0 done, 1 trouble, 2 wrong usage. */
import { hostname, userInfo } from 'node:os';
import { Logger } from '@nestjs/common';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DeadLetterReason } from '#contracts';
import { Desk, Trouble, unreadable } from '#messaging';
import { dataDir } from '../places.js';
import { readRun } from '../start/run-file.js';
import { list, settle, show, type Chosen } from './actions.js';
import { printable } from './printable.js';
import { WrongUsage } from './trouble.js';

type Options = Chosen & { brokers?: string; again?: boolean; as: string };
/** Of a discard: there `reason` is the operator's. */
type DiscardOptions = Omit<Options, 'reason'> & { reason: string; givenUpFor?: string };

const reasons = [...DeadLetterReason.options, unreadable];

const program = new Command('npm run -s dead-letters --')
  .description('What services gave up on: look at it, send it back once the cause is mended, or put it aside for good.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .showHelpAfterError('(--help tells more)');

reasoned(filtered(program.command('list').description('dead letters of all topics, the newest last')))
  .addOption(new Option('--state <state>').choices(['waiting', 'replaying', 'replayed', 'discarded']))
  .option('--limit <count>', 'only so many, the newest ones', count, 100)
  .addHelpText('after', examples('list --state waiting', 'list --reason schema-invalid --since 2h', 'list --org acme --json'))
  .action((options: Options) => atDesk(options, (desk) => list(desk, options)));

common(program.command('show <id>').description('one letter with its headers and value; its id is <topic>/<partition>/<offset>'))
  .option('--value', 'only the bytes of the value, into a file or program')
  .addHelpText('after', examples('show dead.ticket-command.ticket.commands.v1/3/17', 'show dead.ticket-command.ticket.commands.v1/3/17 --value > value.json'))
  .action((id: string, options: Options) => atDesk(options, (desk) => show(desk, id, options)));

reasoned(decided(program.command('replay [ids...]').description('write letters back to the partition that they came from; without ids those that the filter finds')))
  .addOption(new Option('--state <state>', 'with a filter: those in this state').choices(['waiting', 'replaying', 'replayed', 'discarded']).default('waiting'))
  .option('--again', 'also what was replayed or discarded before, or was not finished. A command or event that is known changes nothing')
  .addHelpText('after', examples('replay dead.ticket-command.ticket.commands.v1/3/17', 'replay --reason handler-failed --since 2h', 'replay --state replaying --again --yes'))
  .action((ids: string[], options: Options) => atDesk(options, (desk) => settle(desk, ids, { ...options, wish: { state: 'replaying', again: options.again ?? false, by: options.as } })));

decided(program.command('discard [ids...]').description('say that letters need nothing more; they stay on their topic until its retention ends'))
  .requiredOption('--reason <text>', 'why nothing is lost by it')
  .addOption(new Option('--given-up-for <reason>', 'given up for this reason').choices(reasons))
  .addHelpText('after', examples('discard dead.ticket-command.ticket.commands.v1/3/17 --reason "a load test"', 'discard --org acme --given-up-for not-json --since 1h --reason "a load test" --yes'))
  .action((ids: string[], { reason, givenUpFor, ...options }: DiscardOptions) => {
    const filter = { ...options, state: 'waiting' as const, ...(givenUpFor !== undefined && { reason: givenUpFor }) };
    return atDesk(options, (desk) => settle(desk, ids, { ...filter, wish: { state: 'discarded', again: false, by: options.as, reason } }));
  });

Logger.overrideLogger(false); // what went wrong is told below, once
for (const output of [process.stdout, process.stderr]) output.on('error', () => process.exit(0)); // a reader that has seen enough

await program.parseAsync();

function common(command: Command): Command {
  return command
    .option('--json', 'for programs: one JSON in each line')
    .option('--brokers <list>', 'Kafka brokers, host:port between commas; otherwise KAFKA_BROKERS, else those of the running npm start');
}

function filtered(command: Command): Command {
  return common(command)
    .option('--topic <name>', 'of this dead-letter topic, or of the topic it takes from')
    .option('--org <id>', 'of this organisation')
    .option('--since <time>', 'given up since: 30m, 2h, 3d, or a time such as 2026-01-31T10:00Z', time);
}

function reasoned(command: Command): Command {
  return command.addOption(new Option('--reason <reason>', 'given up for this reason').choices(reasons));
}

function decided(command: Command): Command {
  return filtered(command)
    .option('--yes', 'do not ask before more than one')
    .option('--as <name>', 'who decides, for the record', whoever());
}

async function atDesk({ brokers }: Pick<Options, 'brokers'>, work: (desk: Desk) => Promise<boolean>): Promise<void> {
  try {
    const desk = await Desk.open(brokersOf(brokers).split(',').filter(Boolean));
    try {
      process.exitCode = (await work(desk)) ? 0 : 1;
    } finally {
      await desk.close();
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${printable(error instanceof Trouble || error instanceof WrongUsage ? text : `dead-letters: ${text}`)}\n`);
    process.exitCode = error instanceof WrongUsage ? 2 : 1;
  }
}

function brokersOf(named: string | undefined): string {
  const found = named ?? (process.env['KAFKA_BROKERS'] || readRun(dataDir)?.kafkaBrokers);
  if (found) return found;
  throw new Trouble('Deskstream is not running here: start it with "npm start" in another terminal, or name Kafka brokers with --brokers or KAFKA_BROKERS.');
}

function whoever(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return hostname(); // a container's user need not have a name
  }
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1 to 999999.');
  return Number(text);
}

function time(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const at = unit === undefined ? (/^\d{4}-/.test(text) ? Date.parse(text) : NaN) : Date.now() - Number(amount) * { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit]!;
  if (Number.isNaN(at)) throw new InvalidArgumentError('It is an age such as 30m, 2h or 3d, or a time such as 2026-01-31T10:00Z.');
  return at;
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  npm run -s dead-letters -- ${line}\n`).join('')}`;
}
