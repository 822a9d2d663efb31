import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { leash } from '#servers';
import type { Terminal } from './terminal.js';

/** What is compiled and who hears of it. */
export interface RebuildParts {
  /** Holds `tsconfig.build.json` and `dist`. */
  root: string;
  /** The TypeScript compiler's program file. */
  compiler: string;
  /** The built entry of each program, by its name. */
  entries: Readonly<Record<string, string>>;
  terminal: Terminal;
  /** These programs differ from what was last told, and everything compiles. */
  onTouched(names: string[]): void;
}

/** Compiles on every change of a source until it is stopped. Whatever does not compile is told, and nobody is touched by it. */
export function watchSources({ root, compiler, entries, terminal, onTouched }: RebuildParts): { stop(): Promise<void> } {
  const args = ['-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput', '--pretty', 'false'];
  let known = fingerprints(entries, root);
  const running = leash({ command: [process.execPath, compiler, ...args], cwd: root });
  const onLine = (line: string) => {
    if (/: error TS\d+: /.test(line)) terminal.tell('build', line, 'error');
    const [, errors] = /Found (\d+) errors?\. Watching/.exec(line) ?? [];
    if (errors !== '0') return;
    const now = fingerprints(entries, root);
    const touched = Object.keys(entries).filter((name) => now[name] !== known[name]);
    known = now;
    if (touched.length > 0) onTouched(touched);
  };
  for (const output of running.outputs) createInterface({ input: output }).on('line', onLine);
  let isStopping = false;
  void running.ended.then(({ text }) => isStopping || terminal.tell('build', `the compiler ${text}: changes are not compiled any more`, 'error'));
  return {
    stop: () => {
      isStopping = true;
      return running.end(1_000);
    },
  };
}

function fingerprints(entries: RebuildParts['entries'], root: string): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, fingerprint(entry, root)]));
}

/** Changes with every file of ours that a program is made of. */
function fingerprint(entry: string, root: string): string {
  const hash = createHash('sha256');
  const files = new Set([entry]);
  for (const file of files) {
    const code = read(file);
    hash.update(code);
    for (const found of importsIn(code)) files.add(found.startsWith('#') ? join(root, 'dist/libs', found.slice(1), 'src/index.js') : join(dirname(file), found));
  }
  return hash.digest('hex');
}

const importsIn = (code: string) => [...code.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+|#[^'"]+)['"]/g)].map(([, path]) => path!);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // not built yet
  }
}
