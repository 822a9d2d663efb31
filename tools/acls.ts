/** Grants at the brokers what an outside system or one of our services needs: `KAFKA_BROKERS=host:port node dist/tools/acls.js --system <name>|--service <name> --principal User:<name>` */
import { Logger } from '@nestjs/common';
import { Command, Option } from 'commander';
import { SystemId } from '#contracts';
import { grantAccess, readGrants, revokeAccess, type Grant, type Grantee } from '#messaging';

interface Options {
  principal: string;
  system?: string;
  service?: string;
  file: string;
  revoke?: boolean;
  dryRun?: boolean;
}

const { principal, system, service, file, revoke, dryRun } = new Command('npm run -s acls --')
  .description('let a principal do at the brokers (KAFKA_BROKERS) what it needs to do, and nothing else')
  .addOption(new Option('--principal <principal>', 'who, as the brokers call it, such as User:erp').makeOptionMandatory())
  .addOption(new Option('--system <name>', 'what this outside system may do').conflicts('service'))
  .addOption(new Option('--service <name>', 'what this service of ours needs: gateway, ticket-command, query-search, assignment-notification, operators'))
  .addOption(new Option('--file <path>', 'what each may do').default('deploy/acls.yaml'))
  .option('--revoke', 'take it back')
  .option('--dry-run', 'only say what would be done')
  .showHelpAfterError()
  .parse()
  .opts<Options>();

Logger.overrideLogger(false); // what went wrong is told below, once

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter(Boolean);

try {
  if (!/^[^\s:]+:\S+$/.test(principal)) throw new Error(`${principal} is no principal: it looks like User:erp`);
  const grants = await readGrants(file, principal, granteeOf());
  if (!dryRun) await apply(grants);
  for (const grant of grants) console.log(line(grant));
} catch (error) {
  console.error(`acls: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function granteeOf(): Grantee {
  if (service !== undefined) return { service };
  if (system === undefined) throw new Error('say for whom: --system <name> or --service <name>');
  const { data, error } = SystemId.safeParse(system);
  if (error) throw new Error(`${system} cannot be the name of an outside system: it ${error.issues[0]!.message}`);
  return { system: data };
}

async function apply(grants: readonly Grant[]): Promise<void> {
  if (brokers.length === 0) throw new Error('KAFKA_BROKERS is not set');
  await (revoke ? revokeAccess : grantAccess)(brokers, grants);
}

function line({ principal: who, operation, resource, name, isPrefix }: Grant): string {
  const done = revoke ? 'revoked' : 'allowed';
  return `${dryRun ? 'would be ' : ''}${done} ${who} ${operation} ${resource} ${name}${isPrefix ? '*' : ''}`;
}
