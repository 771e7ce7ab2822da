import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Places that talk to a person on a terminal. */
const TERMINALS = [
  'deploy/**',
  'bench/**',
  'test/**',
  '*/bin/**',
  '*/src/main.ts',
  '*/src/cli/**',
  'protocol/client/example/**',
  'protocol/vectors/**',
];
/** Places that may read the environment. */
const ENVIRONMENTS = [
  'gateway/src/main.ts',
  'node-agent/src/main.ts',
  'deploy/**',
  'bench/**',
  'test/**',
  '*/bin/**',
  '**/*.mjs',
];

const onlyMain = 'Only main.ts reads the environment; pass values in.';
const environment = {
  property: { object: 'process', property: 'env', message: onlyMain },
  imports: ['node:process', 'process'].map((name) => ({
    name,
    importNames: ['env', 'default'],
    message: onlyMain,
  })),
};

/** What would tie the protocol to one runtime, or make its output depend on anything but its input. */
const impure = [
  ...['Date', 'Temporal', 'performance', 'setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
    name,
    message: 'The protocol has no clock: pass `now` in.',
  })),
  ...['process', 'Deno', 'Bun', 'Buffer', 'global', 'window', 'document', 'navigator', 'require'].map(
    (name) => ({
      name,
      message: 'The protocol runs on every runtime.',
    }),
  ),
  ...['fetch', 'WebSocket', 'XMLHttpRequest', 'localStorage'].map((name) => ({
    name,
    message: 'The protocol does no I/O.',
  })),
  { name: 'crypto', message: 'The protocol has no dice: pass the random source in.' },
];

const correctness = {
  eqeqeq: 'error',
  'no-console': 'error',
  'no-constant-binary-expression': 'error',
  'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
  'no-control-regex': 'error',
  'no-debugger': 'error',
  'no-dupe-else-if': 'error',
  'no-duplicate-case': 'error',
  'no-empty': 'error',
  'no-empty-character-class': 'error',
  'no-eval': 'error',
  'no-extra-boolean-cast': 'error',
  'no-fallthrough': 'error',
  'no-irregular-whitespace': 'error',
  'no-loss-of-precision': 'error',
  'no-misleading-character-class': 'error',
  'no-new-func': 'error',
  'no-promise-executor-return': 'error',
  'no-prototype-builtins': 'error',
  'no-self-assign': 'error',
  'no-self-compare': 'error',
  'no-sparse-arrays': 'error',
  'no-unmodified-loop-condition': 'error',
  'no-unsafe-finally': 'error',
  'no-unsafe-optional-chaining': 'error',
  'no-useless-catch': 'error',
  'no-useless-escape': 'error',
  'no-var': 'error',
  'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'], location: 'start' }],
  'object-shorthand': 'error',
  'prefer-const': 'error',
  'prefer-promise-reject-errors': 'error',
  'require-yield': 'error',
  'use-isnan': 'error',
  'valid-typeof': 'error',
};

const typed = {
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-import-type-side-effects': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
  '@typescript-eslint/return-await': ['error', 'in-try-catch'],
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  // A port is asynchronous where one of its adapters is; the others keep its shape without awaiting.
  '@typescript-eslint/require-await': 'off',
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
};

const SCRIPTS = ['**/*.ts', '**/*.tsx', '**/*.mts'];

export default defineConfig(
  globalIgnores(['**/node_modules/', '**/coverage/', '**/.demo/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },
  { files: ['**/*.mjs', '**/*.js', ...SCRIPTS], rules: correctness },
  {
    files: SCRIPTS,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: ['tsconfig.json'], tsconfigRootDir: root } },
    rules: typed,
  },
  {
    files: SCRIPTS,
    ignores: ENVIRONMENTS,
    rules: {
      'no-restricted-properties': ['error', environment.property],
      'no-restricted-imports': ['error', { paths: environment.imports }],
    },
  },
  {
    files: ['protocol/src/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { globals: impure, checkGlobalObject: true, globalObjects: ['globalThis', 'self'] },
      ],
      'no-restricted-properties': [
        'error',
        environment.property,
        {
          object: 'Math',
          property: 'random',
          message: 'The protocol has no dice: pass the random source in.',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: builtinModules.map((name) => ({ name, message: 'The protocol runs on every runtime.' })),
          patterns: [{ group: ['node:*'], message: 'The protocol runs on every runtime.' }],
        },
      ],
    },
  },
  { files: TERMINALS, rules: { 'no-console': 'off' } },
  {
    files: ['test/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['it', 'test', 'describe'].flatMap((object) =>
          ['only', 'skip', 'todo'].map((property) => ({
            object,
            property,
            message: 'A test runs, or says by name with skipIf why it cannot.',
          })),
        ),
      ],
    },
  },
);
