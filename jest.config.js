/** Specs run as ES modules from source: `#libs` resolve by the `source` condition, `.js` in relative imports means the `.ts` beside it. */
const shared = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['node', 'node-addons', 'source'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/', '<rootDir>/test/architecture/violations/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/test/architecture/violations/'],
};

const project = (displayName, testMatch, ignore = []) => ({
  ...shared,
  displayName,
  testMatch,
  testPathIgnorePatterns: [...shared.testPathIgnorePatterns, ...ignore],
});

export default {
  maxWorkers: 2,
  projects: [
    project('unit', ['<rootDir>/**/*.spec.ts'], ['\\.int\\.spec\\.ts$', '\\.e2e\\.spec\\.ts$']),
    project('integration', ['<rootDir>/**/*.int.spec.ts']),
    project('journeys', ['<rootDir>/**/*.e2e.spec.ts']),
  ],
};
