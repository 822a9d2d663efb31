import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, nextFreePort } from '#servers';
import { type AppName, type AppPorts, appNames, hasHttp } from '../processes/apps.js';
import { replaceFile } from './run-file.js';

/** The ports of one run. */
export type Ports = Record<AppName, AppPorts> & { issuer: number; mailbox: { smtp: number; http: number } };

/**
 * Chooses the ports of a run and remembers them in the data folder: later runs keep them where they are free.
 * The gateway gets `gatewayPort` (0: any) or the next free one.
 */
export async function choosePorts(dataDir: string, gatewayPort: number): Promise<Ports> {
  const file = join(dataDir, 'ports.json');
  const last = readJson<Partial<Ports>>(file) ?? {};
  const gateway = gatewayPort === 0 ? await freePort() : await nextFreePort(gatewayPort);
  const ports: Partial<Ports> = { issuer: await freePort(last.issuer), mailbox: await mailboxPorts(last.mailbox) };
  for (const app of appNames) {
    ports[app] = { management: await freePort(last[app]?.management) };
    if (hasHttp(app)) ports[app].http = app === 'gateway' ? gateway : await freePort(last[app]?.http);
  }
  replaceFile(file, JSON.stringify(ports, null, 2));
  return ports as Ports;
}

const mailboxPorts = async (last?: Ports['mailbox']): Promise<Ports['mailbox']> => ({ smtp: await freePort(last?.smtp), http: await freePort(last?.http) });

/** The key that services trust each other by: random, made once, readable for the owner only. */
export const keepInternalKey = (dataDir: string): string => keepSecret(join(dataDir, 'internal.key'));

/** The secret that mails are signed with where they are handed in, kept alike. */
export const keepInboundSecret = (dataDir: string): string => `whsec_${Buffer.from(keepSecret(join(dataDir, 'inbound-email.key')), 'base64url').toString('base64')}`;

function keepSecret(file: string): string {
  try {
    const key = readFileSync(file, 'utf8').trim();
    if (key.length >= 32) return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = randomBytes(48).toString('base64url');
  replaceFile(file, key, 0o600);
  return key;
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined; // nothing remembered
  }
}
