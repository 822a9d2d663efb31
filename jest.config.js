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

const project = (displayName, testMatch, more) => ({ ...shared, displayName, testMatch: [`<rootDir>/**/${testMatch}`], ...more });
const needsServers = { setupFiles: ['<rootDir>/test/lane.mjs'] };

export default {
  maxWorkers: 2,
  projects: [
    project('unit', '*.spec.ts', {
      testPathIgnorePatterns: [...shared.testPathIgnorePatterns, '\\.int\\.spec\\.ts$', '\\.e2e\\.spec\\.ts$'],
    }),
    project('integration', '*.int.spec.ts', needsServers),
    project('journeys', '*.e2e.spec.ts', needsServers),
  ],
};
