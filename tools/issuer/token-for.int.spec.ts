import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '#servers';
import { decodeJwt } from 'jose';
import { demoDirectory } from '../places.js';
import { removeRun, writeRun } from '../start/run-file.js';
import { keepSigner, signerFile } from './signer.js';
import { NoToken, tokenFor } from './token-for.js';

let dataDir: string;
const issuer = 'http://127.0.0.1:24000';

beforeAll(() => {
  dataDir = temporaryFolder('token');
  keepSigner(signerFile(dataDir), issuer);
});
afterAll(() => rmSync(dataDir, { recursive: true }));

const ada = { org: 'acme', sub: 'ada', ttl: 3_600, audience: 'deskstream' };
const ask = (changes: object = {}, folder = dataDir) => tokenFor({ ...ada, ...changes }, { dataDir: folder, directoryFile: demoDirectory });
const claims = (changes: object = {}) => decodeJwt(ask(changes).token);

describe('npm run token', () => {
  it.each([
    ['acme', 'ada', 'admin'],
    ['acme', 'grace', 'member'],
    ['acme', 'linus', 'member'],
    ['globex', 'hank', 'admin'],
  ])('knows %s/%s, who is %s', (org, sub, role) => {
    expect(claims({ org, sub })).toMatchObject({ iss: issuer, aud: 'deskstream', sub, org, role, email: `${sub}@${org}.example` });
  });

  it('lets options change a demo person, and make up anybody who is given a role', () => {
    expect(claims({ role: 'member', name: 'Countess' })).toMatchObject({ role: 'member', name: 'Countess', email: 'ada@acme.example' });
    expect(claims({ org: 'initech', sub: 'peter', role: 'member', audience: 'else' })).toMatchObject({ org: 'initech', sub: 'peter', name: 'peter', aud: 'else' });
  });

  it('refuses somebody unknown without a role, and names the people', () => {
    expect(() => ask({ sub: 'mallory' })).toThrow(NoToken);
    expect(() => ask({ sub: 'mallory' })).toThrow(/no mallory in acme[^]*--org globex --sub hank/);
    expect(() => ask({ org: 'globex' })).toThrow(/no ada in globex/);
  });

  it('gives what lasts for as long as asked for', () => {
    const { iat, exp } = claims({ ttl: 60 });
    expect(exp! - iat!).toBe(60);
    expect(claims({ ttl: -5 }).exp! * 1_000 < Date.now()).toBe(true);
  });

  it('says where the token is good when nothing runs, and nothing more when something does', () => {
    expect(ask().note).toContain(issuer);
    const servers = { kafka: { pids: [], kind: 'named' }, mongodb: { pids: [], kind: 'named' } };
    const processes = { gateway: { pid: process.pid, managementUrl: issuer } };
    writeRun(dataDir, { gateway: issuer, issuer, mailbox: { smtp: '', page: '' }, kafkaBrokers: '', mongodbUri: '', processes, servers });
    expect(ask().note).toBeUndefined();
    removeRun(dataDir);
  });

  it('says what to do when there never was an issuer', () => {
    expect(() => ask({}, join(dataDir, 'nothing'))).toThrow(/npm start/);
  });
});
