/**
 * Builds the package `@deskstream/client` as it is published: `node deploy/client-package.mjs [folder]` (`dist/client-package`). The types of the contracts
 * are written out in it: it needs neither our repository nor zod. Its package.json is `libs/client/package/package.json`; one beside the sources
 * would be the nearest one of theirs, and take `#contracts` from them.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, 'libs/client/src');
const target = resolve(process.argv[2] ?? join(root, 'dist/client-package'));

const typesFile = join(sources, 'types.ts');
const { NoTruncation, InTypeAlias } = ts.TypeFormatFlags;
/** The one type that cannot be written out: it holds itself. */
const json = '/** Any JSON. */\nexport type JSONType = string | number | boolean | null | JSONType[] | { [key: string]: JSONType };';

function programOf() {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail };
  const { options } = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), {}, host);
  return ts.createProgram([join(sources, 'index.ts'), join(sources, 'kafka/index.ts')], { ...options, rootDir: root, outDir: target, declaration: true, sourceMap: false });
}

/** `types.d.ts`, every type without a name of the contracts. */
function writtenOut(program) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(typesFile);
  const named = source.statements.filter((statement) => ts.isTypeAliasDeclaration(statement) && ts.getCombinedModifierFlags(statement) & ts.ModifierFlags.Export);
  const written = named.map((statement) => {
    const comment = statement.getFullText().slice(0, statement.getLeadingTriviaWidth()).trim().split('\n\n').at(-1);
    const type = checker.typeToString(checker.getTypeAtLocation(statement.name), undefined, NoTruncation | InTypeAlias);
    return `${comment}${comment && '\n'}export type ${statement.name.text} = ${type};`;
  });
  return [json, ...written, ''].join('\n');
}

function emit(program, file) {
  fail(...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file), ...program.getDeclarationDiagnostics(file));
  program.emit(file, (name, text) => {
    const place = join(target, 'src', relative(join(target, 'libs/client/src'), name));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, name.endsWith('/types.d.ts') ? writtenOut(program) : text);
  });
}

function fail(...diagnostics) {
  if (diagnostics.length === 0) return;
  console.error(ts.formatDiagnostics(diagnostics, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' }));
  process.exit(1);
}

rmSync(target, { recursive: true, force: true });
const program = programOf();
for (const file of program.getSourceFiles()) if (!relative(sources, file.fileName).startsWith('..')) emit(program, file);
cpSync(join(root, 'libs/client/package'), target, { recursive: true });
