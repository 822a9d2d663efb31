import { relative } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { dataDir, demoDirectory } from '../places.js';
import { readRun } from '../start/run-file.js';
import { type Person, readOrganisations } from './people.js';
import { audience, readSigner, signerFile, signToken } from './signer.js';

interface Options {
  org: string;
  sub: string;
  role?: Person['role'];
  name?: string;
  email?: string;
  ttl: number;
  audience: string;
}

class Refused extends Error {}

/** The person that is asked for: a demo person, changed by what the options say, or anybody when a role is given. */
function personOf({ org, sub, role, name, email }: Options) {
  const people = readOrganisations(demoDirectory).flatMap((organisation) => organisation.people);
  const known = people.find((person) => person.org === org && person.sub === sub);
  const chosen = { ...known, org, sub, ...(role && { role }), ...(name && { name }), ...(email && { email }) };
  if (chosen.role) return { ...chosen, role: chosen.role };
  const list = people.map((person) => `  --org ${person.org} --sub ${person.sub}  (${person.name}, ${person.role})`);
  throw new Refused(`There is no ${sub} in ${org}. Give --role admin|member for somebody new, or one of:\n${list.join('\n')}`);
}

function print(options: Options) {
  const person = personOf(options);
  const signer = readSigner(signerFile(dataDir));
  if (!signer) throw new Refused('There is no local issuer yet: run npm start once.');
  if (!readRun(dataDir)) console.error(`Deskstream is not running; the token is for its issuer at ${signer.issuer}.`);
  console.log(signToken(signer, { ...person, ttl: options.ttl, audience: options.audience }));
}

function seconds(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number of seconds.');
  return Number(text);
}

const command = new Command('npm run -s token --')
  .description(`Prints a token signed by the local issuer (key in ${relative(process.cwd(), dataDir) || dataDir}). For local use only.`)
  .requiredOption('--org <id>', 'organisation, such as acme')
  .requiredOption('--sub <id>', 'person, such as ada')
  .addOption(new Option('--role <role>', "role; the demo person's own by default").choices(['admin', 'member']))
  .option('--name <name>', 'name in the token')
  .option('--email <address>', 'e-mail in the token')
  .option('--ttl <seconds>', 'seconds until it expires; zero or less: it has expired', seconds, 3_600)
  .option('--audience <audience>', 'audience', audience)
  .action(print);

try {
  command.parse();
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
