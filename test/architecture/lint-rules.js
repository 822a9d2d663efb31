/** ESLint rules of this repository that no package has. `eslint.config.js` says where each one holds. */

/** A rule that reports every node an ESLint selector finds. */
const forbid = (selector, message) => ({ create: (context) => ({ [selector]: (node) => context.report({ node, message }) }) });

/** References to what no file declares: names that nobody knows, and those that TypeScript's own libraries declare. */
const globalReferences = ({ through, variables }) => [...through, ...variables.filter(({ defs }) => defs.length === 0).flatMap(({ references }) => references)];

/** A rule that reports uses of globals (never types) unless `allowed` says yes to one. */
const forbidGlobals = (names, message, allowed = () => false) => ({
  create: (context) => ({
    'Program:exit'() {
      for (const { identifier, isValueReference } of globalReferences(context.sourceCode.scopeManager.globalScope)) {
        const isForbidden = isValueReference && names.includes(identifier.name) && !allowed(identifier);
        if (isForbidden) context.report({ node: identifier, message: `${identifier.name}: ${message}` });
      }
    },
  }),
});

const clocks = ['Date', 'performance', 'Temporal', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
const outsideWorld = ['process', 'console', 'fetch', 'globalThis', 'require', 'WebSocket', 'EventSource'];

/** What a pure file may import as values: its own kind. Types come from anywhere. */
const pureImports = /^(\.{1,2}\/|#contracts$|#domain$|zod$|node:util$)/;

/** Dates made from an argument, and the two pure functions of `Date`. */
function readsNoClock({ name, parent }) {
  if (name !== 'Date') return false;
  if (parent.type === 'NewExpression') return parent.arguments.length > 0;
  if (parent.type === 'MemberExpression') return ['parse', 'UTC'].includes(parent.property.name);
  return parent.type === 'BinaryExpression' && parent.operator === 'instanceof';
}

/** `Math.max` and its sisters. */
const rollsNoDice = ({ name, parent }) => name === 'Math' && parent.type === 'MemberExpression' && !parent.computed && parent.property.name !== 'random';

const importsValues = ({ importKind, specifiers }) =>
  importKind !== 'type' && (specifiers.length === 0 || specifiers.some((specifier) => specifier.importKind !== 'type'));

const pureImportsOnly = {
  create: (context) => ({
    'ImportDeclaration, ExportNamedDeclaration[source], ExportAllDeclaration'(node) {
      const values = node.type === 'ImportDeclaration' ? importsValues(node) : node.exportKind !== 'type';
      if (values && !pureImports.test(node.source.value)) {
        context.report({ node, message: `A pure file imports no values from ${node.source.value}: hand in what it needs.` });
      }
    },
    ImportExpression: (node) => context.report({ node, message: 'A pure file loads nothing while it runs.' }),
  }),
};

/**
 * Counts what a caller must get right: three parameters where others call, four within a file. Constructors and decorated
 * parameters are exempt, since the framework fills them in.
 */
const threeParameters = {
  create: (context) => ({
    ':function'(node) {
      const isFilledIn = node.parent.kind === 'constructor' || node.params.some(({ decorators }) => decorators?.length > 0);
      const most = isForOthers(node.parent) ? 3 : 4;
      if (!isFilledIn && node.params.length > most) context.report({ node, message: `${most} parameters at most, then an object.` });
    },
  }),
};

/** Exported, or a method that is not private. */
function isForOthers(parent) {
  if (parent.type === 'MethodDefinition') return parent.accessibility !== 'private' && parent.key.type !== 'PrivateIdentifier';
  const declared = parent.type === 'VariableDeclarator' ? parent.parent.parent : parent;
  return declared.type === 'ExportNamedDeclaration' || declared.type === 'ExportDefaultDeclaration';
}

/** Directives that silence a check, without the reason after `--`. */
const reasonForSilence = {
  create: (context) => ({
    Program() {
      const comments = context.sourceCode.getAllComments().filter(({ value }) => /^\s*eslint-disable/.test(value) && !/ -- \S/.test(value));
      for (const { loc } of comments) context.report({ loc, message: 'Say after ` -- ` why this check is silenced here.' });
    },
  }),
};

const doors = ['Body', 'Query', 'Param', 'Headers', 'RawBody', 'UploadedFile', 'UploadedFiles'];
const namesSchema = ({ type, properties }) => type === 'ObjectExpression' && properties.some(({ key }) => key?.name === 'schema');

const schemaAtEveryDoor = {
  create: (context) => ({
    'Decorator > CallExpression'(node) {
      if (!doors.includes(node.callee.name) || node.arguments.some(namesSchema)) return;
      context.report({ node, message: `Name the schema that this parameter is parsed with: @${node.callee.name}({ schema: … }).` });
    },
  }),
};

const number = 'Literal[raw=/^[0-9_]+$/]';
/** Specs that have servers run beside others on machines of any speed: waits and tests end when they are over, and their times are for those that never are. */
const shortWaits = `CallExpression[callee.name=/^(eventually|within|until|untilReady)$/] > ${number}[value<60000]`;
const shortTests = ['[callee.name=/^(it|beforeAll|afterAll|beforeEach|afterEach)$/]', '[callee.callee.object.name="it"]', '[callee.object.name="jest"][callee.property.name="setTimeout"]'].map((callee) => `CallExpression${callee} > ${number}[value<300000]`);
const sleeps = 'AwaitExpression > CallExpression[callee.name=/^(delay|sleep)$/], AwaitExpression > NewExpression[callee.name="Promise"] CallExpression[callee.name="setTimeout"]';
const haste = 'CallExpression[callee.property.name=/^toBeLessThan/] CallExpression[callee.property.name="now"][arguments.length=0]';

export const rules = {
  'pure-clock': forbidGlobals(clocks, 'a pure file has no clock: take the time as an argument.', readsNoClock),
  'pure-randomness': forbidGlobals(['Math', 'crypto'], 'a pure file rolls no dice: take ids and chances as arguments.', rollsNoDice),
  'pure-surroundings': forbidGlobals(outsideWorld, 'a pure file knows nothing of the process and the world around it.'),
  'pure-sync': forbid(':function[async=true], AwaitExpression, ForOfStatement[await=true], NewExpression[callee.name="Promise"], MemberExpression[object.name="Promise"]', 'A pure file waits for nothing.'),
  'pure-memory': forbid('Program > VariableDeclaration[kind="let"], Program > ExportNamedDeclaration > VariableDeclaration[kind="let"]', 'A pure file remembers nothing between calls.'),
  'pure-imports': pureImportsOnly,
  'schema-at-every-door': schemaAtEveryDoor,
  'patient-specs': forbid([shortWaits, ...shortTests].join(', '), 'A slow machine takes longer: leave the time out, the usual one is for what never comes.'),
  'specs-never-sleep': forbid(sleeps, 'Wait for a condition: a time is too short on one machine and too long on another.'),
  'specs-measure-no-haste': forbid(haste, 'A slow machine takes longer: tell fast from slow by what came first.'),
  'three-parameters': threeParameters,
  'reason-for-silence': reasonForSilence,
};
