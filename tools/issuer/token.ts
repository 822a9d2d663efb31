import { Command, InvalidArgumentError, Option } from 'commander';
import { dataDir, demoDirectory } from '../places.js';
import { audience } from './signer.js';
import { NoToken, tokenFor, type TokenOptions } from './token-for.js';

const command = new Command('npm run -s token --')
  .description("Prints a token signed by the local issuer's key. For local use only.")
  .requiredOption('--org <id>', 'organisation, such as acme')
  .requiredOption('--sub <id>', 'person, such as ada')
  .addOption(new Option('--role <role>', "role; the demo person's own by default").choices(['admin', 'member']))
  .option('--name <name>', 'name in the token')
  .option('--email <address>', 'e-mail in the token')
  .option('--ttl <seconds>', 'seconds until it expires; zero or less: it has expired', seconds, 3_600)
  .option('--audience <audience>', 'audience', audience)
  .parse();

try {
  const { token, note } = tokenFor(command.opts<TokenOptions>(), { dataDir, directoryFile: demoDirectory });
  console.log(token);
  if (note) console.error(note);
} catch (error) {
  if (!(error instanceof NoToken)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function seconds(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number of seconds.');
  return Number(text);
}
