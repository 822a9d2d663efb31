/** Creates and corrects the topics: `KAFKA_BROKERS=host:port node dist/tools/topics.js --profile local|production [--file deploy/topics.yaml]` */
import { Logger } from '@nestjs/common';
import { Command, Option } from 'commander';
import { ensureTopics, readTopics } from '#messaging';

const { profile, file } = new Command('topics')
  .description('create missing topics and correct differing ones')
  .addOption(new Option('--profile <name>', 'profile of the file: production keeps three replicas, local one').makeOptionMandatory())
  .addOption(new Option('--file <path>', 'what the topics should be').default('deploy/topics.yaml'))
  .showHelpAfterError()
  .parse()
  .opts<{ profile: string; file: string }>();

Logger.overrideLogger(false); // what went wrong is told below, once

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter(Boolean);

try {
  if (brokers.length === 0) throw new Error('KAFKA_BROKERS is not set');
  const { created, changed, left } = await ensureTopics(brokers, await readTopics(file, profile));
  for (const name of created) console.log(`created ${name}`);
  for (const change of changed) console.log(`changed ${change}`);
  for (const difference of left) console.warn(`left alone ${difference}`);
  if (created.length + changed.length === 0) console.log('topics: nothing to do');
} catch (error) {
  console.error(`topics: ${error instanceof Error ? error.message : String(error)} (KAFKA_BROKERS=${brokers.join(',')})`);
  process.exitCode = 1;
}
