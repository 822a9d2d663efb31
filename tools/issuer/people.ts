import { readFileSync } from 'node:fs';

/** Someone who can sign in, as tokens tell it. */
export interface Person {
  org: string;
  sub: string;
  name: string;
  email: string;
  role: 'admin' | 'member';
}

/** The part of a directory file that matters here; the gateway checks the whole of it. */
interface Directory {
  organisations: { id: string; name?: string; members: { id: string; name: string; email: string; role: Person['role'] }[] }[];
}

/** An organisation with its people. */
export interface Organisation {
  id: string;
  name: string;
  people: Person[];
}

/** Reads the people of a directory file (the gateway's `DIRECTORY_FILE`). Kept free of the contracts, so that `token` starts quickly. */
export function readOrganisations(file: string): Organisation[] {
  const directory = JSON.parse(readFileSync(file, 'utf8')) as Directory;
  return directory.organisations.map(({ id: org, name, members }) => ({
    id: org,
    name: name ?? org,
    people: members.map(({ id, ...member }) => ({ org, sub: id, name: member.name, email: member.email, role: member.role })),
  }));
}

/** The claims that say who somebody is and what they may do. */
export const claimsOf = ({ sub, name, email, org, role }: Person) => ({ sub, name, email, org, role });
