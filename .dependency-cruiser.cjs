/**
 * Who may import whom. Purity is in `eslint.config.js`. Every rule has a bad file in `test/architecture/violations/`, and
 * `test/architecture/direction.spec.ts` sees it fire.
 */

const specs = '\\.spec\\.ts$';
const unitSpecs = '(?<!\\.int|\\.e2e)\\.spec\\.ts$';
const testing = '^(apps|libs|tools)/.*testing/';
const twins = '/testing/in-memory-[^/]+\\.ts$';
/** Code that ships: neither a spec nor what specs lean on. */
const shipped = (folder) => ({ path: `^${folder}`, pathNot: [specs, '/testing/'] });

const packages = (...names) => `(^|/)node_modules/(@types/)?(${names.join('|')})(/|$)`;
const nest = packages('@nestjs/(common|core|microservices|platform-fastify)', 'rxjs', 'reflect-metadata');
/** Node's own modules: no dot, no dash. */
const node = '^(node:)?[a-z0-9_/]+$';

/** A folder may import itself, what is allowed, and nothing else. */
const only = (name, folder, allowed, why) => ({
  name,
  comment: why,
  severity: 'error',
  from: shipped(folder),
  to: { pathNot: [`^${folder}`, ...allowed] },
});

const never = (name, from, to, why) => ({ name, comment: why, severity: 'error', from, to });

module.exports = {
  forbidden: [
    only('contracts-know-zod-only', 'libs/contracts/', [packages('zod')], 'Every part reads the contracts, a browser too.'),
    only('client-knows-contracts-only', 'libs/client/', ['^libs/contracts/', packages('kafkajs')], 'It runs in programs of others: the web platform is all it leans on.'),
    never(
      'client-takes-types-only',
      shipped('libs/client/'),
      { path: ['^libs/contracts/', packages('kafkajs')], dependencyTypesNot: ['type-only'] },
      'Its package brings no schemas along, and a client of Kafka is handed to it: it has no dependency at all.',
    ),
    only('domain-knows-contracts-only', 'libs/domain/', ['^libs/contracts/', '^(node:)?util$'], 'Decisions are pure functions of contracts.'),
    only(
      'observability-stays-below',
      'libs/observability/',
      ['^libs/contracts/', node, nest, packages('fastify', 'pino', 'pino-pretty', 'prom-client', 'zod')],
      'How a service starts, reports and stops says nothing of what it does.',
    ),
    only(
      'internal-stays-below',
      'libs/internal/',
      ['^libs/(contracts|observability)/', node, nest, packages('fastify', 'jose', 'lru-cache')],
      'Who asks whom on whose behalf says nothing of what is asked.',
    ),
    only(
      'messaging-stays-below',
      'libs/messaging/',
      ['^libs/(contracts|observability)/', node, nest, packages('kafkajs', 'snappyjs', 'lz4-napi', 'prom-client', 'yaml', 'zod')],
      'Messages travel without knowing what they mean or where they are stored.',
    ),
    only(
      'persistence-stays-below',
      'libs/persistence/',
      ['^libs/(contracts|observability|messaging)/', node, nest, packages('mongoose', 'mongodb', 'bson', 'prom-client')],
      'The store knows contracts; of messaging it may know the interfaces (rule below).',
    ),
    never(
      'persistence-takes-types-of-messaging',
      shipped('libs/persistence/'),
      { path: '^libs/messaging/', dependencyTypesNot: ['type-only'] },
      'A store says what it needs of a message; it sends none.',
    ),
    only(
      'servers-stand-alone',
      'libs/servers/',
      [node, packages('kafkajs', 'mongoose', 'mongodb')],
      'Opening Kafka and MongoDB needs nothing of what runs on them, but a client each to see them answer.',
    ),
    never(
      'kafkajs-only-in-messaging',
      { pathNot: [specs, '/testing/', '^test/', '^libs/messaging/', '^libs/client/src/kafka/', '^libs/servers/src/kafka-answers\\.ts$'] },
      { path: packages('kafkajs') },
      'Its traps are handled in one place. (Tests read topics with a client of their own, so that they do not believe ours.)',
    ),
    never(
      'mongoose-only-in-stores',
      { pathNot: [specs, '/testing/', '^test/', '^libs/persistence/', '\\.store\\.ts$', '^libs/servers/src/mongodb-answers\\.ts$'] },
      { path: packages('mongoose', 'mongodb', 'bson') },
      'Queries live in `*.store.ts`, where every one names the organisation.',
    ),
    never(
      'apps-never-import-apps',
      { path: '^apps/([^/]+)/' },
      { path: '^apps/', pathNot: '^apps/$1/' },
      'Each app is a process of its own: they talk over Kafka and HTTP.',
    ),
    never(
      'apps-start-nothing',
      shipped('apps/'),
      { path: '^(libs/servers|tools|test|deploy)/' },
      'An app is given its servers; it never opens them.',
    ),
    never(
      'libs-stay-below-apps',
      { path: '^libs/', pathNot: specs },
      { path: '^(apps|tools|test|deploy)/' },
      'A lib knows nothing of who uses it.',
    ),
    never(
      'tools-start-apps-by-command',
      shipped('tools/'),
      { path: '^(apps|test)/' },
      'Tools run the built apps as processes, as everybody does.',
    ),
    never(
      'front-doors-only',
      { path: '^(?:(libs/[^/]+)|apps|tools|test|deploy)/' },
      { path: '^libs/', pathNot: ['^$1/', '^libs/[^/]+/src/index\\.ts$', '/testing/'] },
      'A lib is used through `#name`; what lies behind may change.',
    ),
    never(
      'front-doors-by-name',
      { path: '^(?:(libs/[^/]+)|apps|tools|test|deploy)/' },
      { path: '^libs/[^/]+/src/index\\.ts$', pathNot: '^$1/', dependencyTypesNot: ['aliased-subpath-import'] },
      'Only `#name` leads compiler, tests and Node to the same file.',
    ),
    never(
      'only-tests-import-testing',
      { pathNot: [specs, '/testing/', '^test/'] },
      { path: testing },
      'Builders, suites and twins are not part of the product.',
    ),
    never(
      'no-twin-reaches-an-app',
      shipped('apps/'),
      { path: twins, reachable: true },
      'An app never runs on an in-memory twin, by whatever detour.',
    ),
    never(
      'twins-are-for-unit-tests',
      { path: '^test/|\\.spec\\.ts$', pathNot: unitSpecs },
      { path: twins },
      'Journeys, benchmarks and adapters run on real servers.',
    ),
    never(
      'no-dev-dependency-ships',
      shipped('(apps|libs|tools)/'),
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
      'The images hold `dependencies` only.',
    ),
    never('nothing-unlisted', {}, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }, 'What package.json does not name may be gone tomorrow.'),
    never('nothing-unresolved', {}, { couldNotResolve: true }, 'An import that leads nowhere.'),
    never('no-cycles', {}, { circular: true }, 'What needs each other belongs together, or needs a third.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|test/architecture/violations)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    enhancedResolveOptions: { conditionNames: ['source', 'import', 'node', 'default', 'types'], exportsFields: ['exports'], extensions: ['.ts', '.js', '.mjs', '.d.ts'] },
  },
};
