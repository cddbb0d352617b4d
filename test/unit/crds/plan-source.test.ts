import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { MAX_PLAN_BYTES } from '../../../crds/plan-text/size.ts';
import { formOf, parsePlanSource, planTasks, type PlanSourceResult } from '../../../crds/plan-text/source.ts';
import type { PlanSpec } from '../../../crds/kinds/plan.ts';
import { planTask, type PlanTask } from '../../../crds/kinds/plan-task.ts';

const task = (id: string, title: string, more: object = {}): PlanTask => planTask.parse({ id, title, ...more });
const problems = (result: PlanSourceResult): readonly string[] =>
  result.ok ? [] : result.problems.map(({ where, message }) => `${where}: ${message}`);

const markdown = `
# Durations

Read by people alone.

## Build

- [ ] parser: Read durations like "1h30m"
  Accept hours and minutes.

  \`\`\`js
  - role: QA
  \`\`\`
  - a list item of the description
  - role: dev
  - files: src/**, test/{a,b}.ts
  - files: \`README.md\`
  - verify: \`node --test\`
  - verify: npm run lint -- --max-warnings=0, really
  - requires: no new dependency
  - priority: -3
  - candidates: 2
  - deliberation: none
  - timeout: 600
  - iterations: 40

* [ ] \`table\`: Draw: a table

## DOCS ##
+ [ ] readme: Describe the format
\t- after: parser, table

# Afterwards
- [ ] last: Tidy up
  - phase: test
`;

const parsed: readonly PlanTask[] = [
  task('parser', 'Read durations like "1h30m"', {
    description: 'Accept hours and minutes.\n\n```js\n- role: QA\n```\n- a list item of the description',
    role: 'DEV',
    phase: 'BUILD',
    fileScope: ['src/**', 'test/{a,b}.ts', 'README.md'],
    verify: { commands: ['node --test', 'npm run lint -- --max-warnings=0, really'] },
    priority: -3,
    candidates: 2,
    deliberation: 'None',
    constraints: { requirements: ['no new dependency'], timeoutSeconds: 600, maxIterations: 40 },
  }),
  task('table', 'Draw: a table', { phase: 'BUILD' }),
  task('readme', 'Describe the format', { phase: 'DOCS', dependsOn: ['parser', 'table'] }),
  task('last', 'Tidy up', { phase: 'TEST' }),
];

describe('a text that is a plan', () => {
  it.each([
    { given: 'markdown with everything', text: markdown, want: parsed },
    { given: 'markdown with lines that end in CR LF', text: markdown.replaceAll('\n', '\r\n'), want: parsed },
    { given: 'a YAML list', text: '- id: a\n  title: A\n', want: [task('a', 'A')] },
    { given: 'YAML with the field tasks', text: '# why\n---\ntasks:\n- {id: a, title: A}\n', want: [task('a', 'A')] },
    {
      given: 'YAML whose text has stars, ampersands and boxes',
      text: "- id: a\n  title: '*b & c!'\n  description: |\n    - [ ] not: a task\n    &x *y\n",
      want: [task('a', '*b & c!', { description: '- [ ] not: a task\n&x *y\n' })],
    },
    { given: 'a word that YAML 1.1 takes for a boolean', text: '- id: "no"\n  title: yes\n', want: [task('no', 'yes')] },
    { given: 'a JSON list', text: '[{"id":"a","title":"A","dependsOn":[]}]', want: [task('a', 'A')] },
    { given: 'JSON with the field tasks', text: '\n {"tasks": [{"id": "a", "title": "A"}]}', want: [task('a', 'A')] },
    {
      given: 'a task that waits for one of an earlier phase',
      text: '- [ ] a: A\n  - phase: design\n- [ ] b: B\n  - after: a',
      want: [task('a', 'A', { phase: 'DESIGN' }), task('b', 'B', { dependsOn: ['a'] })],
    },
    {
      given: 'a task written before the one it waits for',
      text: '- [ ] b: B\n  - after: a\n- [ ] a: A',
      want: [task('b', 'B', { dependsOn: ['a'] }), task('a', 'A')],
    },
  ])('$given', ({ text, want }) => {
    const result = parsePlanSource(text);
    expect(problems(result)).toEqual([]);
    expect(result).toEqual({ ok: true, tasks: want });
    expect(parsePlanSource(text)).toEqual(result);
  });
});

describe('a text that is none', () => {
  const deep = (open: string, count: number): string => open.repeat(count);
  it.each([
    { given: 'nothing', text: '', want: ['source: this is no plan'] },
    { given: 'prose', text: 'Please do it well.', want: ['source: this is no plan'] },
    { given: 'a number', text: '7', want: ['source: this is no plan'] },
    { given: 'a heading alone', text: '# Plan', want: ['source: this is no plan'] },
    { given: 'no task in JSON', text: '[]', want: ['tasks: there is no task'] },
    { given: 'JSON that breaks off', text: '[{"id":', want: ['source: not JSON: '] },
    { given: 'an object with other fields', text: '{"tasks":[],"author":"eve"}', want: ['source: a plan is a list of tasks'] },
    { given: 'YAML of another form', text: 'tasks: 3', want: ['source: a plan is a list of tasks'] },
    {
      given: 'a key given twice',
      text: '- id: a\n  title: A\n  title: B',
      want: ['line 3: not YAML as expected: Map keys must be unique'],
    },
    { given: 'a bad indentation', text: 'tasks:\n  - id: a\n title: A', want: ['line 3: not YAML as expected'] },
    { given: 'two documents', text: '---\n- {id: a, title: A}\n---\n- {id: b, title: B}', want: ['not YAML as expected'] },
    { given: 'a misspelt field', text: '- {id: a, title: A, verfy: {}}', want: ['tasks[0]: Unrecognized key: "verfy"'] },
    {
      given: 'a misspelt field within',
      text: '- {id: a, title: A, verify: {command: [x]}}',
      want: ['tasks[0].verify: Unrecognized key: "command"'],
    },
    { given: 'no title', text: '- {id: a}', want: ['tasks[0].title: is missing'] },
    {
      given: 'a string for a number',
      text: '- {id: a, title: A, priority: high}',
      want: ['tasks[0].priority: Invalid input: expected number'],
    },
    { given: 'a phase of nobody', text: '- [ ] a: A\n  - phase: later', want: ['line 1.phase: Invalid option'] },
    { given: 'a glob with a way up', text: '- [ ] a: A\n  - files: ../x', want: ['line 1.fileScope[0]: Invalid string'] },
    { given: 'two tasks of one id', text: '- [ ] a: A\n- [ ] a: B', want: ['line 2.id: "a" is the id of tasks[0] already'] },
    { given: 'a task that waits for nobody', text: '- [ ] a: A\n  - after: b', want: ['line 1.dependsOn: there is no task "b"'] },
    {
      given: 'a task that waits for itself',
      text: '- [ ] a: A\n  - after: a',
      want: ['line 1.dependsOn: "a" depends on itself'],
    },
    {
      given: 'a dependency listed twice',
      text: '- {id: a, title: A}\n- {id: b, title: B, dependsOn: [a, a]}',
      want: ['tasks[1].dependsOn: "a" is listed twice'],
    },
    {
      given: 'a circle of three beside an innocent',
      text: '- [ ] i: I\n- [ ] a: A\n  - after: c\n- [ ] b: B\n  - after: a, i\n- [ ] c: C\n  - after: b',
      want: ['tasks: tasks wait for each other: a → c → b → a'],
    },
    {
      given: 'a task behind a circle',
      text: '- [ ] z: Z\n  - after: a\n- [ ] a: A\n  - after: b\n- [ ] b: B\n  - after: a',
      want: ['tasks: tasks wait for each other: a → b → a'],
    },
    {
      given: 'a task that waits for a later phase',
      text: '## Build\n- [ ] a: A\n  - after: b\n## Docs\n- [ ] b: B',
      want: ['line 2.dependsOn: "b" runs in phase DOCS, after this task\'s phase BUILD'],
    },
    { given: 'a task without an id', text: '- [ ] Do it all', want: ['line 1: a task needs an id'] },
    { given: 'a box that is ticked', text: '- [x] a: A', want: ['line 1: the box is ticked'] },
    {
      given: 'a list item at the margin',
      text: '- [ ] a: A\n- b: B',
      want: ['line 2: a list item at the margin must be a task'],
    },
    { given: 'a box without space', text: '- [ ] a: A\n-[ ] b: B', want: ['line 2: a list item at the margin must be a task'] },
    {
      given: 'a numbered item at the margin',
      text: '- [ ] a: A\n1. b: B',
      want: ['line 2: a list item at the margin must be a task'],
    },
    { given: 'a task within a task', text: '- [ ] a: A\n  - [ ] b: B', want: ['line 2: a task within a task'] },
    { given: 'a misspelt setting', text: '- [ ] a: A\n  - verfy: npm test', want: ['line 2: "verfy" is no setting of a task'] },
    {
      given: 'a setting named like a method',
      text: '- [ ] a: A\n  - constructor: x',
      want: ['line 2: "constructor" is no setting'],
    },
    { given: 'a setting without a value', text: '- [ ] a: A\n  - verify:', want: ['line 2: "verify" has no value'] },
    { given: 'a role given twice', text: '- [ ] a: A\n  - role: DEV\n  - role: QA', want: ['line 3: "role" is given twice'] },
    { given: 'a code block that is not closed', text: '- [ ] a: A\n  ```\n  x', want: ['source: a code block is not closed'] },
    {
      given: 'a number in words',
      text: '- [ ] a: A\n  - timeout: soon',
      want: ['line 1.constraints.timeoutSeconds: Invalid input'],
    },
    { given: 'two problems', text: '- [ ] Do it\n- [x] a: A', want: ['line 1: ', 'line 2: '] },
    {
      given: 'more than 128 KiB, counted in bytes',
      text: `- [ ] a: A\n  ${'ä'.repeat(65_536)}`,
      want: ['source: the source has 131085 bytes'],
    },
    {
      given: '501 tasks',
      text: JSON.stringify(Array.from({ length: 501 }, (_, n) => ({ id: `t${n}`, title: 'T' }))),
      want: ['tasks: there are 501 tasks'],
    },
    {
      given: 'an alias bomb of 370 bytes',
      text: `a: &a [${'x,'.repeat(9)}x]\n${'bcdefgh'
        .split('')
        .map((key, n) => `${key}: &${key} [${`*${'abcdefg'.charAt(n)},`.repeat(9)}*${'abcdefg'.charAt(n)}]`)
        .join('\n')}\n`,
      want: ['source: this is no plan'],
    },
    {
      given: 'the same bomb under tasks',
      text: `tasks:\n - &a [x,x,x,x,x,x,x,x,x,x]\n - &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]`,
      want: ['line 2: anchors and aliases are not read'],
    },
    { given: 'an alias of nothing', text: '- id: *x\n  title: A', want: ['line 1: anchors and aliases are not read'] },
    { given: 'a merge key', text: '- id: a\n  title: A\n  <<: {role: QA}', want: ['tasks[0]: Unrecognized key: "<<"'] },
    { given: 'a tag', text: '- !!js/function "x"', want: ['line 1: tags are not read'] },
    {
      given: 'a prototype in JSON',
      text: '[{"id":"a","title":"A","__proto__":{"role":"QA"}}]',
      want: ['source: "__proto__" is no field of a plan'],
    },
    {
      given: 'a prototype in YAML',
      text: '- id: a\n  title: A\n  __proto__: {role: QA}',
      want: ['source: "__proto__" is no field of a plan'],
    },
    {
      given: 'a constructor within',
      text: '[{"id":"a","title":"A","verify":{"constructor":{}}}]',
      want: ['source: "constructor" is no field of a plan'],
    },
    {
      given: 'JSON nested without measure',
      text: `${deep('[', 60_000)}${deep(']', 60_000)}`,
      want: ['source: it is nested deeper than 12 levels'],
    },
    {
      given: 'YAML nested in brackets without measure',
      text: `---\n${deep('[', 130_000)}`,
      want: ['line 2: it is nested deeper than 12 levels'],
    },
    {
      given: 'YAML nested in dashes without measure',
      text: `---\n${deep('- ', 60_000)}x`,
      want: ['line 2: it is nested deeper than 12 levels'],
    },
    { given: 'YAML of too many tokens', text: `tasks:\n${'- a\n'.repeat(30_000)}`, want: ['it has more than 60000 tokens'] },
    { given: 'JSON of too many values', text: `[[${'1,'.repeat(50_001)}1]]`, want: ['source: it holds more than 50000 values'] },
  ])('$given', ({ text, want }) => {
    const result = parsePlanSource(text);
    expect(result.ok).toBe(false);
    expect(problems(result)).toEqual(want.map((message): unknown => expect.stringContaining(message)));
    expect(({} as Record<string, unknown>)['role']).toBeUndefined();
  });

  it('tells at most 50 problems, each within its bounds', () => {
    const result = parsePlanSource('- [ ] no id here\n'.repeat(80) + `- [ ] a: A\n  - ${'x'.repeat(2000)}: y`);
    expect(problems(result)).toHaveLength(50);
    const long = parsePlanSource(`- [ ] a: A\n  - ${'x'.repeat(2000)}: y`);
    expect(problems(long)[0]?.length).toBeLessThanOrEqual('line 2: '.length + 512);
  });
});

describe('the form of a text', () => {
  it.each([
    { text: '[]', want: 'json' },
    { text: '\n\n  {"a":1}', want: 'json' },
    { text: '# c\ntasks:\n', want: 'yaml' },
    { text: '- id: a', want: 'yaml' },
    { text: '- "id": a', want: 'yaml' },
    { text: '-\n  id: a', want: 'yaml' },
    { text: '# Plan\n- [ ] a: A', want: 'markdown' },
    { text: 'Hello\n- [ ] a: A', want: 'markdown' },
    { text: 'Hello', want: undefined },
  ])('$text is $want', ({ text, want }) => {
    expect(formOf(text)).toBe(want);
  });
});

describe('the tasks of a Plan', () => {
  it.each([
    { given: 'tasks', spec: { tasks: [task('a', 'A')] }, want: [] },
    { given: 'a source', spec: { source: '- [ ] a: A' }, want: [] },
    {
      given: 'tasks that wait for each other',
      spec: { tasks: [task('a', 'A', { dependsOn: ['b'] }), task('b', 'B', { dependsOn: ['a'] })] },
      want: ['tasks: tasks wait for each other: a → b → a'],
    },
    {
      given: 'tasks that would not fit in status',
      spec: { tasks: Array.from({ length: 40 }, (_, n) => task(`t${n}`, 'T', { description: 'd'.repeat(16_000) })) },
      want: [expect.stringContaining(`at most ${MAX_PLAN_BYTES} fit`)],
    },
    { given: 'neither', spec: {}, want: ['spec: there are neither tasks nor a source'] },
  ])('from $given', ({ spec, want }) => {
    expect(problems(planTasks(spec))).toEqual(want);
  });

  it('the examples of the page on plan sources are plans', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/plan-source.md'), 'utf8');
    const blocks = [...page.matchAll(/^```(?:markdown|yaml)\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? '');
    expect(blocks).toHaveLength(2);
    expect(blocks.map((text) => problems(parsePlanSource(text)))).toEqual([[], []]);
  });

  it('the example in markdown says the same as the one in YAML', () => {
    const spec = (file: string): PlanSpec => {
      const text = readFileSync(join(import.meta.dirname, '../../../examples', file), 'utf8');
      return (parse(text) as { readonly spec: PlanSpec }).spec;
    };
    const trimmed = (result: PlanSourceResult): unknown =>
      result.ok ? result.tasks.map((one) => ({ ...one, description: one.description.trim() })) : result;
    expect(trimmed(planTasks(spec('plan-markdown.yaml')))).toEqual(trimmed(planTasks(spec('plan.yaml'))));
  });
});
