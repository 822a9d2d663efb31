import { readRun } from '../start/run-file.js';
import { type Person, readOrganisations } from './people.js';
import { readSigner, signerFile, signToken } from './signer.js';

/** What is asked for on the command line. */
export interface TokenOptions {
  org: string;
  sub: string;
  role?: Person['role'];
  name?: string;
  email?: string;
  /** Seconds; zero or less makes a token that has expired. */
  ttl: number;
  audience: string;
}

/** Where the key and the people are. */
export interface TokenPlaces {
  dataDir: string;
  directoryFile: string;
}

/** There is no such token; the message says what can be done. */
export class NoToken extends Error {}

/** A token for a demo person, or for anybody when a role is given; `note` tells what the person should know beside it. Throws `NoToken`. */
export function tokenFor(options: TokenOptions, { dataDir, directoryFile }: TokenPlaces): { token: string; note?: string } {
  const person = personOf(options, directoryFile);
  const signer = readSigner(signerFile(dataDir));
  if (!signer) throw new NoToken('There is no local issuer yet: run npm start once.');
  const token = signToken(signer, { ...person, ttl: options.ttl, audience: options.audience });
  return readRun(dataDir) ? { token } : { token, note: `Deskstream is not running; the token is for its issuer at ${signer.issuer}.` };
}

function personOf({ org, sub, role, name, email }: TokenOptions, directoryFile: string) {
  const people = readOrganisations(directoryFile).flatMap((organisation) => organisation.people);
  const known = people.find((person) => person.org === org && person.sub === sub);
  const chosen = { ...known, org, sub, ...(role && { role }), ...(name && { name }), ...(email && { email }) };
  if (chosen.role) return { ...chosen, role: chosen.role };
  const list = people.map((person) => `  --org ${person.org} --sub ${person.sub}  (${person.name}, ${person.role})`);
  throw new NoToken(`There is no ${sub} in ${org}. Give --role admin or --role member for somebody new, or choose one of:\n${list.join('\n')}`);
}
