/** Creates and corrects the topics: `KAFKA_BROKERS=host:port node dist/tools/topics.js --profile local|production [--system <name>]… [--file deploy/topics.yaml]` */
import { Logger } from '@nestjs/common';
import { Command, Option } from 'commander';
import { ensureTopics, listTopics, readSystemTopics, readTopics, systemsAmong } from '#messaging';

const { profile, file, system } = new Command('topics')
  .description('create missing topics and correct differing ones; those of outside systems that there are, too')
  .addOption(new Option('--profile <name>', 'profile of the file: production keeps three replicas, local one').makeOptionMandatory())
  .addOption(new Option('--file <path>', 'what the topics should be').default('deploy/topics.yaml'))
  .addOption(new Option('--system <name...>', 'make the topics of these outside systems, too').default([]))
  .showHelpAfterError()
  .parse()
  .opts<{ profile: string; file: string; system: string[] }>();

Logger.overrideLogger(false); // what went wrong is told below, once

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter(Boolean);

try {
  if (brokers.length === 0) throw new Error('KAFKA_BROKERS is not set');
  const ofSystem = await readSystemTopics(file, profile);
  const systems = new Set([...systemsAmong(await listTopics(brokers), ofSystem), ...system]);
  const { created, changed, left } = await ensureTopics(brokers, [...(await readTopics(file, profile)), ...[...systems].flatMap(ofSystem)]);
  for (const name of created) console.log(`created ${name}`);
  for (const change of changed) console.log(`changed ${change}`);
  for (const difference of left) console.warn(`left alone ${difference}`);
  if (created.length + changed.length === 0) console.log('topics: nothing to do');
} catch (error) {
  console.error(`topics: ${error instanceof Error ? error.message : String(error)} (KAFKA_BROKERS=${brokers.join(',')})`);
  process.exitCode = 1;
}
