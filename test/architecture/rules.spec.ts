import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from '@jest/globals';

/**
 * `violations/` is a small tree of its own, laid out like the real one. Each rule of direction, purity and lint has one bad file
 * there that bears its name, and fires on that file only.
 */

const root = process.cwd();
const violations = join(root, 'test/architecture/violations');
const direction = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as { forbidden: { name: string }[] };

/** Two rules hold a twin back from an app: it is testing code, and it is a twin. */
const alsoFires: Record<string, string[]> = { 'no-twin-reaches-an-app': ['only-tests-import-testing'] };

const subject = (file: string) => basename(file).split('.')[0]!;
const badFiles = readdirSync(violations, { recursive: true, encoding: 'utf8' }).map(subject);

interface Fired {
  file: string;
  rule: string;
}

async function run(tool: string, args: string[], cwd: string): Promise<unknown> {
  const bin = join(root, 'node_modules/.bin', tool);
  const child = spawn(process.execPath, [bin, ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(await text(child.stdout));
}

async function cruised(cwd: string, folders: string[]): Promise<Fired[]> {
  const args = [...folders, '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json'];
  const report = (await run('depcruise', args, cwd)) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  return report.summary.violations.map(({ from, rule }) => ({ file: from, rule: rule.name }));
}

async function linted(cwd: string): Promise<Fired[]> {
  const report = await run('eslint', ['.', '--config', join(root, 'eslint.config.js'), '--format', 'json'], cwd);
  return (report as { filePath: string; messages: { ruleId: string | null; message: string }[] }[]).flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId, message }) => ({ file: relative(cwd, filePath), rule: ruleId?.replace(/^.*\//, '') ?? message })),
  );
}

/** The rules that hold for a file. */
async function lintRulesOf(file: string): Promise<string[]> {
  const { rules } = (await run('eslint', ['--print-config', file, '--config', join(root, 'eslint.config.js')], violations)) as {
    rules: Record<string, [number, ...unknown[]]>;
  };
  return Object.keys(rules).flatMap((name) => (rules[name]![0] > 0 ? [name.replace(/^.*\//, '')] : []));
}

/** Which rules fire on the bad file of each rule. */
function seen(fired: readonly Fired[]): Map<string, Set<string>> {
  const byFile = new Map<string, Set<string>>();
  for (const { file, rule } of fired) byFile.set(subject(file), (byFile.get(subject(file)) ?? new Set()).add(rule));
  return byFile;
}

const expected = (rule: string) => new Set([rule, ...(alsoFires[rule] ?? [])]);

describe('rules of direction', () => {
  const names = direction.forbidden.map(({ name }) => name);
  let fired: Map<string, Set<string>>;
  beforeAll(async () => void (fired = seen(await cruised(violations, ['apps', 'libs', 'tools', 'test']))), 300_000);

  it.each(names)('%s sees its bad file, and no other rule does', (rule) => expect(fired.get(rule)).toEqual(expected(rule)));

  it('fire on no other file', () => expect([...fired.keys()].filter((file) => !names.includes(file))).toEqual([]));

  it('hold in the whole tree', async () => expect(await cruised(root, ['apps', 'libs', 'tools', 'test'])).toEqual([]), 300_000);
});

describe('rules of purity and lint', () => {
  let fired: Map<string, Set<string>>;
  let names: string[];
  beforeAll(async () => {
    const files = ['libs/domain/src/index.ts', 'apps/gateway/src/entry.ts', 'test/journeys/patient-specs.e2e.spec.ts'];
    const [found, ...rules] = await Promise.all([linted(violations), ...files.map(lintRulesOf)]);
    fired = seen(found);
    names = [...new Set(rules.flat())];
  }, 300_000);

  it('each have a bad file', () => expect(names.filter((rule) => !badFiles.includes(rule))).toEqual([]));

  it('each see their bad file, and no other rule does', () => {
    const wrong = names.filter((rule) => fired.get(rule)?.size !== 1 || !fired.get(rule)!.has(rule));
    expect(wrong).toEqual([]);
  });

  it('fire on no other file', () => expect([...fired.keys()].filter((file) => !names.includes(file))).toEqual([]));

  it('run over the whole tree before every test run', () => {
    const { scripts } = createRequire(import.meta.url)(join(root, 'package.json')) as { scripts: Record<string, string> };
    expect(scripts).toMatchObject({
      test: expect.stringMatching(/^npm run -s check && /),
      check: expect.stringMatching(/check:types && .*check:lint && .*check:direction$/),
      'check:lint': 'eslint .',
    });
  });
});
