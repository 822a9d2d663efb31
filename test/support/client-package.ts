import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = process.cwd();
/** A stranger's machine: nothing of this run leads back here. */
const foreign = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|NODE_ENV|JEST_|npm_|DESKSTREAM_)/.test(name)));

/** A folder with nothing but the packed client in it, installed as others install it, with no network. */
export class StrangersFolder {
  private constructor(readonly path: string) {}

  static async with(path: string): Promise<StrangersFolder> {
    await run(process.execPath, ['deploy/client-package.mjs', join(path, 'built')], { cwd: root });
    await run('npm', ['pack', '--pack-destination', path], { cwd: join(path, 'built'), env: foreign });
    const folder = new StrangersFolder(join(path, 'home'));
    mkdirSync(folder.path);
    folder.write('package.json', '{ "name": "stranger", "type": "module", "private": true }');
    const { name, version } = JSON.parse(readFileSync(join(root, 'libs/client/package/package.json'), 'utf8')) as { name: string; version: string };
    const tarball = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(path, tarball)], { cwd: folder.path, env: foreign });
    return folder;
  }

  /** Installs a package that we have, as it is on the registry. */
  async install(name: string) {
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', this.path, join(root, 'node_modules', name)], { cwd: this.path, env: foreign });
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string };
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${name}-${version}.tgz`], { cwd: this.path, env: foreign });
  }

  write(name: string, text: string) {
    writeFileSync(join(this.path, name), text);
  }

  /** Brings a file of ours along. */
  copy(from: string, to: string) {
    copyFileSync(join(root, from), join(this.path, to));
  }

  /** What a program says. Throws with what it complained of when it ends badly. */
  async node(args: string[], env: Record<string, string> = {}): Promise<string> {
    return (await run(process.execPath, args, { cwd: this.path, env: { ...foreign, ...env } })).stdout;
  }

  /** Starts a program that goes on until it is asked to end. */
  start(args: string[], env: Record<string, string> = {}) {
    const program = spawn(process.execPath, args, { cwd: this.path, env: { ...foreign, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(program, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    let said = '';
    program.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    return {
      /** What it has said so far. */
      get said() {
        return said;
      },
      /** Resolves with how it ended. */
      end: async () => {
        program.kill('SIGTERM');
        return (await ended)[0];
      },
    };
  }

  /** What the compiler has against a file, with the types of the package looked at as closely as the file. */
  async complaints(file: string): Promise<string> {
    const options = ['--strict', '--noEmit', '--allowJs', '--checkJs', '--target', 'es2023', '--lib', 'es2024', '--module', 'nodenext', '--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
    return this.node([join(root, 'node_modules/typescript/bin/tsc'), ...options, file]).then(
      () => '',
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  }
}
