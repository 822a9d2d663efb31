import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { holdWhenFree } from './hold.js';
import { type Command, leash } from './leash.js';
import { ServersUnavailable, type Surroundings, waysToServers } from './server.js';

/** A program of the machine that a part is built or run with. */
export interface Tool {
  readonly program: string;
  /** The Debian package that brings it. */
  readonly debian: string;
  /** Oldest version that will do, and how the program is asked for its own. */
  readonly atLeast?: { readonly version: number; readonly ask: readonly string[]; readonly pattern: RegExp };
}

export const java: Tool = {
  program: 'java',
  debian: 'default-jre-headless',
  atLeast: { version: 17, ask: ['-version'], pattern: /version "(\d+)/ },
};
export const maven: Tool = { program: 'mvn', debian: 'maven' };
/** From 1.21 on, Go fetches the newer Go that a program asks for by itself. */
export const go: Tool = { program: 'go', debian: 'golang-go', atLeast: { version: 21, ask: ['version'], pattern: /go1\.(\d+)/ } };
export const mmdebstrap: Tool = { program: 'mmdebstrap', debian: 'mmdebstrap' };

/** Where a program is on PATH, undefined when it is not. */
export function onPath(program: string, path = process.env['PATH'] ?? ''): string | undefined {
  return path.split(delimiter).filter(Boolean).map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program to its end and returns what it printed. Throws with the end of that when it fails; ends with us when we are killed. */
export async function run(what: Command, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const program = leash(what);
  let printed = '';
  for (const output of program.outputs) output.on('data', (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-65_536)));
  const stop = () => void program.end();
  signal.addEventListener('abort', stop, { once: true });
  const ending = await program.ended;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (ending.code === 0) return printed;
  const end = printed.trimEnd().split('\n').slice(-15).join('\n');
  throw new Error(`${what.command.slice(0, 2).join(' ')} ${ending.text}:\n${end}`);
}

/** Sees to it that the tools are there: on Debian, as root, it installs what is missing. Throws `ServersUnavailable` when it cannot. */
export async function needTools(part: string, tools: readonly Tool[], around: Pick<Surroundings, 'say' | 'signal'>): Promise<void> {
  const missing = await missingOf(tools, around.signal);
  if (missing.length === 0) return;
  if (isDebian() && process.getuid?.() === 0) await installPackages(part, missing, around);
  const still = await missingOf(tools, around.signal);
  if (still.length > 0) throw missingTools(part, still);
}

/** Names what is missing and how a person gets it. */
export function missingTools(part: string, missing: readonly Tool[]): ServersUnavailable {
  const names = missing.map((tool) => tool.program).join(', ');
  const packages = missing.map((tool) => tool.debian).join(' ');
  const install = `install ${names} (on Debian: apt-get install ${packages}; as root this program does it itself)`;
  return new ServersUnavailable(`${part} cannot be installed here: ${names} missing or too old.`, waysToServers(install));
}

async function missingOf(tools: readonly Tool[], signal: AbortSignal): Promise<Tool[]> {
  const present = await Promise.all(tools.map((tool) => isThere(tool, signal)));
  return tools.filter((_, at) => !present[at]);
}

async function isThere({ program, atLeast }: Tool, signal: AbortSignal): Promise<boolean> {
  if (!onPath(program)) return false;
  if (!atLeast) return true;
  const said = await run({ command: [program, ...atLeast.ask] }, signal).catch(() => '');
  return Number(atLeast.pattern.exec(said)?.[1] ?? 0) >= atLeast.version;
}

/** One run of apt-get of ours at a time; those of others are waited for by apt-get itself. */
async function installPackages(part: string, missing: readonly Tool[], around: Pick<Surroundings, 'say' | 'signal'>): Promise<void> {
  const hold = await holdWhenFree('debian packages', () => around.say(part, 'waits for another installation of packages'), around.signal);
  try {
    const packages = (await missingOf(missing, around.signal)).map((tool) => tool.debian);
    if (packages.length === 0) return;
    around.say(part, `installs the Debian packages ${packages.join(', ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const patienceMs = 120_000; // An installation that is killed half-way leaves the machine's packages in a state that a person must mend.
    const apt = (...args: string[]) =>
      run({ command: ['apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], env, patienceMs }, around.signal);
    await apt('update');
    await apt('install', '--yes', '--no-install-recommends', ...packages);
  } catch (error) {
    throw new ServersUnavailable(`${part}: ${(error as Error).message}`, waysToServers(), { cause: error });
  } finally {
    await hold.release();
  }
}

export function isDebian(osRelease = '/etc/os-release'): boolean {
  return existsSync(osRelease) && /^ID=debian$/m.test(readFileSync(osRelease, 'utf8'));
}

/** The Debian mirror that this machine takes its own packages from. Undefined when its sources name none. */
export function debianMirror(apt = '/etc/apt'): string | undefined {
  const folder = join(apt, 'sources.list.d');
  const files = [join(apt, 'sources.list'), ...(existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [])];
  const sources = files.filter((file) => /\.(sources|list)$/.test(file) && existsSync(file));
  return sources.flatMap((file) => mirrorsIn(readFileSync(file, 'utf8'), file.endsWith('.sources')))[0];
}

const releases = /^(bookworm|trixie|forky|duke|sid|stable|testing|unstable)$/;

/** A source counts when it offers a whole Debian release; those of other makers and of security updates alone do not. */
function mirrorsIn(text: string, stanzas: boolean): string[] {
  const sources = stanzas ? text.split(/\n\s*\n/).map(stanza) : text.split('\n').map(oneLine);
  return sources.filter(({ suites, components }) => suites.some((suite) => releases.test(suite)) && components.includes('main')).flatMap(({ uris }) => uris.slice(0, 1));
}

function stanza(text: string) {
  const words = (field: string) => new RegExp(`^${field}:(.*)$`, 'mi').exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  return { uris: words('URIs'), suites: words('Suites'), components: words('Components') };
}

function oneLine(line: string) {
  const [, uri, suite, components] = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim()) ?? [];
  return { uris: uri ? [uri] : [], suites: suite ? [suite] : [], components: components?.split(/\s+/) ?? [] };
}
