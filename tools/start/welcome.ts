import type { Organisation } from '../issuer/people.js';
import type { Run } from './run-file.js';

/** What is told when everything is ready: the addresses, who can sign in, and a first request. */
export function welcome(run: Run, organisations: Organisation[]): string {
  return [addresses(run), signIns(organisations), firstRequest(run)].join('\n\n');
}

/** The addresses of a run. */
export function addresses(run: Run): string {
  return table([
    ['Gateway', run.gateway, 'REST below /v1'],
    ['Sign-in', run.issuer, 'OpenID Connect issuer, client deskstream-console'],
    ['Mails', run.mailbox.page, 'what was sent to requesters and people; it leaves this machine only where SMTP_URL says so'],
    ['Kafka', run.kafkaBrokers, run.servers.kafka.kind],
    ['MongoDB', run.mongodbUri.replace(/\/\/[^@/]*@/, '//…@'), run.servers.mongodb.kind],
    ...Object.entries(run.processes).map(([app, { managementUrl }]) => [app, managementUrl, 'health and metrics']),
  ]);
}

function signIns(organisations: Organisation[]): string {
  const rows = organisations.flatMap(({ people }) =>
    people.map(({ org, sub, name, role }) => [
      sub,
      name,
      role === 'admin' ? 'administrator' : 'member',
      org,
      `npm run -s token -- --org ${org} --sub ${sub}`,
    ]),
  );
  const sheet = table([['Person', 'Name', 'Role', 'Organisation', 'Token'], ...rows]);
  return `${sheet}\n  On the sign-in page they are chosen by name; there are no passwords.`;
}

function firstRequest({ gateway }: Run): string {
  return [
    '  First request:',
    `  curl -H "Authorization: Bearer $(npm run -s token -- --org acme --sub ada)" ${gateway}/v1/tickets`,
    '',
    '  Logs are in .deskstream/logs. Ctrl-C stops everything; data stays (npm run reset wipes it).',
  ].join('\n');
}

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('   ')}`.trimEnd()).join('\n');
}
