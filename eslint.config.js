// Type-checked lint. The block for `controllers/` is the purity rule: no I/O, clock, randomness or async there.
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

const clocks = [
  'Date',
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
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'No default exports.' },
        { selector: 'TSEnumDeclaration', message: 'Unions instead of enums.' },
        { selector: 'Program > VariableDeclaration[kind="let"]', message: 'No module-level mutable state.' },
        {
          selector: 'Program > ExportNamedDeclaration > VariableDeclaration[kind="let"]',
          message: 'No module-level mutable state.',
        },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config.ts files read the environment.' },
        { object: 'vi', property: 'mock', message: 'No module mocks: pass a fake through a port.' },
        { object: 'vi', property: 'doMock', message: 'No module mocks: pass a fake through a port.' },
      ],
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
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'controllers/ is pure: no randomness.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: ':function[async=true]', message: 'controllers/ is synchronous.' },
        { selector: 'AwaitExpression', message: 'controllers/ is synchronous.' },
        { selector: 'ImportExpression', message: 'controllers/ imports nothing at run time.' },
        { selector: 'ExportDefaultDeclaration', message: 'No default exports.' },
        { selector: 'Program > VariableDeclaration[kind="let"]', message: 'No module-level mutable state.' },
      ],
    },
  },
  { files: ['**/config.ts', 'scripts/**', 'test/**'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['test/**', 'scripts/**', 'cli/**', '**/main.ts'], rules: { 'no-console': 'off' } },
  { files: ['test/**'], rules: { 'max-lines-per-function': 'off', 'max-lines': 'off' } },
);
