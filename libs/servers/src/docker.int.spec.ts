import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/eventually.js';
import { scratchFolder } from '../testing/other-process.js';
import { dockerAnswers, kafkaImage, mongodbImage, openInDocker } from './docker.js';
import type { Surroundings } from './server.js';

/** A client named `docker` in front of the real one: it writes down what it is asked, and "runs" a container as a process that waits. */
const fakeClient = (folder: string, body: string) => `#!/bin/sh
echo "$@" >> ${folder}/asked
${body}
`;
const working = `case $1 in
run) exec sleep 1000 ;;
inspect) echo 4242 ;;
esac`;

let folder: string;
let path: string | undefined;
beforeEach(() => {
  folder = scratchFolder();
  path = process.env['PATH'];
});
afterEach(() => {
  process.env['PATH'] = path;
});

function client(body: string): void {
  writeFileSync(join(folder, 'docker'), fakeClient(folder, body));
  chmodSync(join(folder, 'docker'), 0o755);
  process.env['PATH'] = `${folder}${delimiter}${path}`;
}

const asked = () => (existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n') : []);
const signal = new AbortController().signal;

function surroundings(): Surroundings & { told: string[] } {
  const told: string[] = [];
  const tell = (text: string) => void told.push(text);
  return { dataDir: folder, memory: 'small', signal, say: (_, text) => tell(text), onChange: () => tell('changed'), onDeath: () => tell('died'), told };
}

describe('a Docker engine', () => {
  it('is one whose client gets an answer', async () => {
    client('echo 28.0.0');
    await eventually(() => dockerAnswers(signal), 'it answers within 3 s, as a busy machine may not at once');
    expect(new Set(asked())).toEqual(new Set(['info --format {{.ServerVersion}}']));
  });

  it('is none when the client fails', async () => {
    client('exit 1');
    expect(await dockerAnswers(signal)).toBe(false);
  });

  it('is none when the client hangs', async () => {
    client('sleep 1000');
    expect(await dockerAnswers(signal)).toBe(false);
  });

  it('is none without a client', async () => {
    process.env['PATH'] = folder;
    expect(await dockerAnswers(signal)).toBe(false);
  });
});

describe('a server in Docker', () => {
  const runs = () => asked().findLast((line) => line.startsWith('run')) ?? '';
  const image = { ...mongodbImage, answers: () => (runs() ? Promise.resolve() : Promise.reject(new Error('not yet'))) };

  it('is a labelled container, published on the loopback address, with a volume of its own, removed when it is stopped', async () => {
    client(working);
    const server = await openInDocker(image, surroundings());
    const port = new URL(server.address).port;
    expect(server).toMatchObject({ kind: 'docker', pids: [4242], address: `mongodb://127.0.0.1:${port}/?directConnection=true` });
    const run = runs();
    const [, name] = /--name (\S+)/.exec(run) ?? [];
    expect(run).toBe(
      `run --rm --name ${name} --label deskstream --label deskstream.data=${folder} --publish 127.0.0.1:${port}:27017 ` +
        `--volume ${name}:/data/db mongo:8 --bind_ip_all --wiredTigerCacheSizeGB 0.25 --quiet`,
    );
    await server.stop();
    expect(server.pids).toEqual([]);
  });

  it('starts without the volume of a data folder that was wiped, and keeps that of one that was not', async () => {
    client(working);
    for (const _ of [1, 2]) await (await openInDocker(image, surroundings())).stop();
    expect(asked().filter((line) => line.startsWith('volume rm'))).toHaveLength(1);
  });

  it('is pulled first when its image is not there', async () => {
    client(`[ "$1" = image ] && exit 1\n${working}`);
    const around = surroundings();
    await (await openInDocker(image, around)).stop();
    expect(asked()).toContain('pull --quiet mongo:8');
    expect(around.told).toContain('pulls mongo:8');
  });

  it('names the ways to go on when its image cannot be had', async () => {
    client(`[ "$1" = image ] && exit 1\n[ "$1" = pull ] && echo no such image && exit 1\n${working}`);
    await expect(openInDocker(image, surroundings())).rejects.toThrow(/no such image[\s\S]*Ways to go on/);
  });

  it('is started again when it dies', async () => {
    const pidFile = join(folder, 'pid');
    client(`case $1 in\nrun) echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 1000 ;;\ninspect) cat ${pidFile} ;;\nesac`);
    const around = surroundings();
    const answers = async () => void statSync(pidFile);
    const server = await openInDocker({ ...image, answers }, around);
    const [first = 0] = server.pids;
    expect(first).toBeGreaterThan(1);
    rmSync(pidFile);
    process.kill(first, 'SIGKILL');
    await eventually(() => existsSync(pidFile) && server.pids[0] === Number(readFileSync(pidFile, 'utf8')), 'it runs again');
    expect(around.told.filter((text) => text === 'died' || text === 'changed')).toEqual(['died', 'changed', 'changed']);
    await server.stop();
  });

  it('tells Kafka’s clients the published port', () => {
    expect(kafkaImage.env(25000)).toMatchObject({ KAFKA_ADVERTISED_LISTENERS: 'OUTSIDE://127.0.0.1:25000,INSIDE://localhost:19092' });
  });
});
