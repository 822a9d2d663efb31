import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { scratchFolder } from '../testing/other-process.js';
import { debianMirror, java, maven, missingTools } from './machine.js';
import { ServersUnavailable } from './server.js';

function mirrorFrom(files: Record<string, string>): string | undefined {
  const apt = scratchFolder();
  mkdirSync(join(apt, 'sources.list.d'));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(apt, file), text);
  return debianMirror(apt);
}

const others = 'Types: deb\nURIs: http://node.example/debian\nSuites: nodistro\nComponents: main\n';
const security = 'Types: deb\nURIs: http://security.example/debian\nSuites: bookworm-security\nComponents: main\n';
const debian = 'Types: deb\n# a remark\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main contrib\n';

describe('the Debian mirror of the machine', () => {
  it('is the one of its release, not that of security updates or other makers', () => {
    expect(mirrorFrom({ 'sources.list.d/a.sources': others, 'sources.list.d/debian.sources': `${security}\n${debian}` })).toBe('http://mirror.example/debian');
  });

  it('is read from one-line sources too', () => {
    expect(mirrorFrom({ 'sources.list': '# old\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main\n' })).toBe('http://mirror.example/debian');
  });

  it('is unknown when no source names a Debian release', () => expect(mirrorFrom({ 'sources.list.d/a.sources': others })).toBeUndefined());
});

describe('the answer to missing tools', () => {
  const { message, name } = missingTools('kafka', [java, maven]);

  it('is an error that callers print', () => expect([name, missingTools('kafka', [java]) instanceof ServersUnavailable]).toEqual(['ServersUnavailable', true]));

  it('names what is missing', () => expect(message).toContain('kafka cannot be installed here: java, mvn missing or too old'));

  it('names all three ways to go on', () => {
    for (const way of ['KAFKA_BROKERS', 'MONGODB_URI', 'Docker', 'apt-get install default-jre-headless maven']) expect(message).toContain(way);
  });
});
