import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { acl, asAdmin } from './kafka.js';

const Operation = z.enum(['Read', 'Write', 'Create', 'Delete', 'Describe', 'DescribeConfigs', 'AlterConfigs']);
const Rights = z.record(z.string(), z.array(Operation).min(1));
const Role = z.strictObject({ topics: Rights.default({}), groups: Rights.default({}) });
const AclFile = z.strictObject({ system: Role, services: z.record(z.string(), Role) });

/** One thing that a principal may do. */
export interface Grant {
  readonly principal: string;
  readonly operation: z.infer<typeof Operation>;
  readonly resource: 'topic' | 'group';
  readonly name: string;
  /** The name stands for all that begin so. */
  readonly isPrefix: boolean;
}

/** Whom a grant is for: an outside system by its name, or one of our services. */
export type Grantee = { readonly system: string } | { readonly service: string };

/** What a file like `deploy/acls.yaml` lets a principal do. @throws what is wrong with the file, or that it knows no such service. */
export async function readGrants(file: string, principal: string, grantee: Grantee): Promise<Grant[]> {
  const { system, services } = AclFile.parse(parse(await readFile(file, 'utf8')));
  const role = 'system' in grantee ? system : services[grantee.service];
  if (role === undefined) throw new Error(`${file} knows no such service, only ${Object.keys(services).join(', ')}`);
  const nameOf = (name: string) => ('system' in grantee ? name.replace('{system}', () => grantee.system) : name);
  const grants = (resource: Grant['resource'], rights: z.infer<typeof Rights>) =>
    Object.entries(rights).flatMap(([name, operations]) =>
      operations.map((operation) => ({ principal, operation, resource, name: nameOf(name.replace(/\*$/, '')), isPrefix: name.endsWith('*') })),
    );
  return [...grants('topic', role.topics), ...grants('group', role.groups)];
}

/** Grants what is not granted yet. @throws when the brokers do not answer, have no authorizer or refuse. */
export const grantAccess = (brokers: string[], grants: readonly Grant[]): Promise<unknown> =>
  asAdmin(brokers, (admin) => admin.createAcls({ acl: grants.map(entryOf) }));

/** Takes back what was granted. @throws as `grantAccess` does. */
export const revokeAccess = (brokers: string[], grants: readonly Grant[]): Promise<unknown> =>
  asAdmin(brokers, (admin) => admin.deleteAcls({ filters: grants.map(entryOf) }));

const operations = {
  Read: acl.operations.READ,
  Write: acl.operations.WRITE,
  Create: acl.operations.CREATE,
  Delete: acl.operations.DELETE,
  Describe: acl.operations.DESCRIBE,
  DescribeConfigs: acl.operations.DESCRIBE_CONFIGS,
  AlterConfigs: acl.operations.ALTER_CONFIGS,
};

const entryOf = ({ principal, operation, resource, name, isPrefix }: Grant) => ({
  principal,
  host: '*',
  operation: operations[operation],
  permissionType: acl.permissions.ALLOW,
  resourceType: resource === 'topic' ? acl.resources.TOPIC : acl.resources.GROUP,
  resourceName: name,
  resourcePatternType: isPrefix ? acl.patterns.PREFIXED : acl.patterns.LITERAL,
});
