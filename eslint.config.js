import { defineConfig, globalIgnores } from 'eslint/config';
import typescript from 'typescript-eslint';
import { rules } from './test/architecture/lint-rules.js';

/** Purity and mistakes only: who may import whom is in `.dependency-cruiser.cjs`, formatting is nobody's business here. */

const scripts = ['**/*.js', '**/*.mjs', '**/*.cjs'];
const tests = ['**/*.spec.ts', '**/testing/**', 'test/**'];
const pure = ['**/libs/domain/src/**/*.ts', '**/*.policy.ts', '**/*.projection.ts'];
const notTests = { ignores: tests };

const everywhere = {
  plugins: { deskstream: { rules } },
  linterOptions: { reportUnusedDisableDirectives: 'error' },
  rules: {
    'deskstream/reason-for-silence': 'error',
    'deskstream/three-parameters': 'error',
    // A switch over a union is a table, one row per case: it counts once.
    complexity: ['error', { max: 8, variant: 'modified' }],
    'max-depth': ['error', 3],
    'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'no-empty': 'error',
    'prefer-const': 'error',
  },
};

const typed = {
  files: ['**/*.ts'],
  languageOptions: { parser: typescript.parser, parserOptions: { projectService: true } },
  plugins: { '@typescript-eslint': typescript.plugin },
  rules: {
    '@typescript-eslint/await-thenable': 'error',
    '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description', minimumDescriptionLength: 10 }],
    '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false, fixStyle: 'inline-type-imports' }],
    '@typescript-eslint/no-deprecated': 'error',
    '@typescript-eslint/no-explicit-any': 'error',
    '@typescript-eslint/no-floating-promises': 'error',
    '@typescript-eslint/no-misused-promises': 'error',
    '@typescript-eslint/no-unsafe-argument': 'error',
    '@typescript-eslint/no-unsafe-assignment': 'error',
    '@typescript-eslint/no-unsafe-call': 'error',
    '@typescript-eslint/no-unsafe-member-access': 'error',
    '@typescript-eslint/no-unsafe-return': 'error',
    '@typescript-eslint/only-throw-error': 'error',
    '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingAny: true, allowThrowingUnknown: true }],
    '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
    '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  },
};

const pureFiles = {
  ...notTests,
  files: pure,
  rules: {
    'deskstream/pure-clock': 'error',
    'deskstream/pure-randomness': 'error',
    'deskstream/pure-surroundings': 'error',
    'deskstream/pure-sync': 'error',
    'deskstream/pure-memory': 'error',
    'deskstream/pure-imports': 'error',
  },
};

/** Nest leaves a parameter without a schema unchecked. */
const doors = { files: ['**/apps/**/*.ts'], rules: { 'deskstream/schema-at-every-door': 'error' } };

/** The log is structured; only tools talk to a person. */
const quiet = { ...notTests, files: ['**/apps/**/*.ts', '**/libs/**/*.ts'], rules: { 'no-console': 'error' } };

/** A `describe` holds a whole subject, a builder takes what matters, and what a spec reads of a foreign answer it asserts at once. */
const specs = {
  files: tests,
  rules: {
    'max-lines-per-function': 'off',
    'deskstream/three-parameters': 'off',
    '@typescript-eslint/no-unsafe-argument': 'off',
    '@typescript-eslint/no-unsafe-assignment': 'off',
    '@typescript-eslint/no-unsafe-call': 'off',
    '@typescript-eslint/no-unsafe-member-access': 'off',
    '@typescript-eslint/no-unsafe-return': 'off',
  },
};

/** They run beside others, on machines of any speed. */
const onServers = {
  files: ['**/*.int.spec.ts', '**/*.e2e.spec.ts'],
  rules: { 'deskstream/patient-specs': 'error', 'deskstream/specs-never-sleep': 'error', 'deskstream/specs-measure-no-haste': 'error' },
};

export default defineConfig([
  globalIgnores(['dist/', 'coverage/', '.deskstream/', 'test/architecture/violations/']),
  { files: ['**/*.ts', ...scripts], ...everywhere },
  typed,
  pureFiles,
  doors,
  quiet,
  specs,
  onServers,
]);
