// Type-checked lint. The block for `controllers/` is the purity rule: no I/O, clock, randomness or async there.
// A rule that is given twice replaces itself, so that every list below is built on the general one.
import tseslint from 'typescript-eslint';

const noAny = {
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-non-null-assertion': 'error',
};

const budgets = {
  'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  'max-depth': ['error', 3],
  'max-params': ['error', 4],
  complexity: ['error', 16],
};

/** What a controller would need to learn the time, to wait, or to reach anything outside. `new Date(ms)` only formats a time. */
const clocks = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'crypto',
  'fetch',
  'process',
  'console',
  'globalThis',
  'Promise',
];

const generalSyntax = [
  { selector: 'ExportDefaultDeclaration', message: 'No default exports.' },
  { selector: 'TSEnumDeclaration', message: 'Unions instead of enums.' },
  { selector: 'Program > VariableDeclaration[kind="let"]', message: 'No module-level mutable state.' },
  {
    selector: 'Program > ExportNamedDeclaration > VariableDeclaration[kind="let"]',
    message: 'No module-level mutable state.',
  },
  {
    selector: ':matches(Program, ExportNamedDeclaration) > FunctionDeclaration[generator=false]',
    message: 'Functions at the top of a file are `const name = () => …`.',
  },
];

const pureSyntax = [
  { selector: ':function[async=true]', message: 'controllers/ is synchronous.' },
  { selector: 'AwaitExpression', message: 'controllers/ is synchronous.' },
  { selector: 'ImportExpression', message: 'controllers/ imports nothing at run time.' },
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'controllers/ is pure: the time is an argument.',
  },
  {
    selector: ':not(NewExpression, MemberExpression[property.name=/^(parse|UTC)$/]) > Identifier[name="Date"]',
    message: 'controllers/ is pure: of Date only what converts a time that is given.',
  },
];

const environment = { object: 'process', property: 'env', message: 'Only config.ts files read the environment.' };
const moduleMocks = ['mock', 'doMock', 'hoisted', 'unmock', 'doUnmock'].map((property) => ({
  ...{ object: 'vi', property },
  message: 'No module mocks: pass a fake through a port.',
}));
const impureProperties = [{ object: 'Math', property: 'random', message: 'controllers/ is pure: no randomness.' }];

const globalConstant = { selector: 'variable', modifiers: ['const', 'global'] };

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', '**/*.js', '**/*.mjs', 'coverage/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      ...noAny,
      ...budgets,
      eqeqeq: 'error',
      'no-console': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', ...generalSyntax],
      'no-restricted-properties': ['error', environment, ...moduleMocks],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['controllers/**/*.ts', 'crds/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...clocks.map((name) => ({
          name,
          message: 'controllers/ and crds/ are pure: time and everything else come in as arguments.',
        })),
      ],
      'no-restricted-properties': ['error', environment, ...moduleMocks, ...impureProperties],
      'no-restricted-syntax': ['error', ...generalSyntax, ...pureSyntax],
    },
  },
  {
    // tests and scripts hold values of one run at the top, which are no constants
    ignores: ['test/**', 'bench/main.ts', 'scripts/**', 'images/**', 'charts/**'],
    rules: {
      '@typescript-eslint/naming-convention': [
        'error',
        { ...globalConstant, types: ['string', 'number', 'boolean'], format: ['UPPER_CASE'] },
        { ...globalConstant, types: ['function'], format: ['camelCase'] },
      ],
    },
  },
  { files: ['**/config.ts', 'scripts/**', 'test/**'], rules: { 'no-restricted-properties': ['error', ...moduleMocks] } },
  { files: ['test/**', 'scripts/**', 'images/**', 'charts/**', 'cli/**', '**/main.ts'], rules: { 'no-console': 'off' } },
  { files: ['test/**'], rules: { 'max-lines-per-function': 'off', 'max-lines': 'off' } },
);
