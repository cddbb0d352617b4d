// Scripts for the tasks on `test/fixtures/node-repo`: the work of one Story, task by task, and a task that fails at first.
import type { Script } from '../script.ts';

const farewell = `/** \`Goodbye, <name>!\`; a name of nothing but spaces is refused. */
export function farewell(name) {
  const trimmed = name.trim();
  if (trimmed === '') throw new RangeError('a farewell needs a name');
  return \`Goodbye, \${trimmed}!\`;
}
`;

const farewellTest = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { farewell } from '../src/index.js';

test('says goodbye by name', () => {
  assert.equal(farewell('Ada'), 'Goodbye, Ada!');
});

test('refuses an empty name', () => {
  assert.throws(() => farewell('  '), RangeError);
});
`;

const edgeTests = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { farewell, greeting } from '../src/index.js';

for (const [title, name] of [
  ['a name of one letter', 'A'],
  ['a name with spaces inside', 'Ada Lovelace'],
  ['a name outside ASCII', 'Zoë'],
]) {
  test(\`\${title} is kept as it is\`, () => {
    assert.equal(greeting(name), \`Hello, \${name}!\`);
    assert.equal(farewell(name), \`Goodbye, \${name}!\`);
  });
}
`;

const usagePage = `# How to use pocket-greetings

| call | gives |
|---|---|
| \`greeting('Ada')\` | \`Hello, Ada!\` |
| \`farewell('Ada')\` | \`Goodbye, Ada!\` |

Spaces around a name are taken away; a name of nothing else is a \`RangeError\`.
`;

const exportBoth = {
  tool: 'write_file',
  args: {
    path: 'src/index.js',
    content: "export { farewell } from './farewell.js';\nexport { greeting } from './greeting.js';\n",
  },
};

export const addFarewell: Script = {
  name: 'add-farewell',
  plays: [
    {
      steps: [
        {
          say: 'I look at what is there.',
          calls: [{ tool: 'list_files' }, { tool: 'read_file', args: { path: 'src/greeting.js' } }],
        },
        {
          calls: [
            { tool: 'write_file', args: { path: 'src/farewell.js', content: farewell } },
            exportBoth,
            { tool: 'write_file', args: { path: 'test/farewell.test.js', content: farewellTest } },
          ],
        },
        { calls: [{ tool: 'run_tests' }, { tool: 'diff' }] },
        {
          calls: [
            {
              tool: 'done',
              args: {
                summary: 'farewell(name) says goodbye as greeting(name) says hello; both refuse an empty name. Tests are added.',
              },
            },
          ],
        },
      ],
    },
  ],
};

export const addEdgeTests: Script = {
  name: 'add-edge-tests',
  plays: [
    {
      steps: [
        {
          calls: [
            { tool: 'read_file', args: { path: 'test/greeting.test.js' } },
            { tool: 'search', args: { pattern: 'trim', folder: 'src' } },
          ],
        },
        { calls: [{ tool: 'write_file', args: { path: 'test/names.test.js', content: edgeTests } }] },
        { calls: [{ tool: 'run_tests' }] },
        {
          calls: [
            {
              tool: 'done',
              args: { summary: 'Names of one letter, with spaces inside and outside ASCII are tested for both functions.' },
            },
          ],
        },
      ],
    },
  ],
};

export const writeUsagePage: Script = {
  name: 'write-usage-page',
  plays: [
    {
      steps: [
        {
          calls: [
            { tool: 'read_file', args: { path: 'README.md' } },
            { tool: 'read_file', args: { path: 'src/farewell.js' } },
          ],
        },
        {
          calls: [
            { tool: 'write_file', args: { path: 'docs/usage.md', content: usagePage } },
            {
              tool: 'edit_file',
              args: {
                path: 'README.md',
                old_text: 'Tests: `npm test`.',
                new_text: 'More: [docs/usage.md](docs/usage.md). Tests: `npm test`.',
              },
            },
          ],
        },
        { say: 'docs/usage.md shows both functions, and the README leads there.' },
      ],
    },
  ],
};

/** The first attempt forgets the `!`, and says that it is done without running the tests; the second repairs it. */
export const failsFirst: Script = {
  name: 'fails-first',
  plays: [
    {
      when: 'VerifyFailed',
      steps: [
        { calls: [{ tool: 'write_file', args: { path: 'src/farewell.js', content: farewell } }, exportBoth] },
        {
          calls: [{ tool: 'write_file', args: { path: 'test/farewell.test.js', content: farewellTest } }, { tool: 'run_tests' }],
        },
        { calls: [{ tool: 'done', args: { summary: 'farewell(name) ends with an exclamation mark now.' } }] },
      ],
    },
    {
      steps: [
        {
          calls: [
            { tool: 'write_file', args: { path: 'src/farewell.js', content: farewell.replace('}!`', '}`') } },
            exportBoth,
            { tool: 'write_file', args: { path: 'test/farewell.test.js', content: farewellTest } },
          ],
        },
        { calls: [{ tool: 'done', args: { summary: 'farewell(name) is added.' } }] },
      ],
    },
  ],
};
